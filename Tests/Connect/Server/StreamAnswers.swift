// SPDX-License-Identifier: Apache-2.0
import Taxon

/// The answers of a call that has several, in their order. Each one tells which requests came since the one before; the
/// first tells all that came with the call.
struct StreamAnswers {
  private let definition: SuiteStreamResponseDefinition
  private let context: ServerContext
  private var unanswered: [Google_Protobuf_Any] = []
  private var sent = 0

  /// Sends the headers, so that the caller has them before any answer.
  init(_ definition: SuiteStreamResponseDefinition, _ context: ServerContext) {
    self.definition = definition
    self.context = context
    context.initialMetadata = Metadata(definition.responseHeaders)
    context.trailingMetadata = Metadata(definition.responseTrailers)
    context.compressesReply = true
    context.sendHeaders()
  }

  /// Notes a request.
  mutating func receive(_ request: some Message) throws {
    unanswered.append(try Google_Protobuf_Any(packing: request))
  }

  /// The next answer, once it is time for it; nil when there are no more.
  mutating func next() async throws -> SuiteConformancePayload? {
    guard sent < definition.responseData.count else { return nil }
    try await Task.sleep(for: .milliseconds(definition.responseDelayMs))
    var payload = SuiteConformancePayload(data: definition.responseData[sent])
    if sent == 0 {
      payload.requestInfo = context.requestInfo(unanswered)
    } else if !unanswered.isEmpty {
      payload.requestInfo = .init(requests: unanswered)
    }
    sent += 1
    unanswered = []
    return payload
  }

  /// Raises the error that ends the call, if one does. It tells what came with the call where no answer did.
  func end() throws {
    guard let error = definition.error else { return }
    let details = sent == 0 ? [try Google_Protobuf_Any(packing: context.requestInfo(unanswered))] : []
    throw RPCError(error, and: details)
  }
}
