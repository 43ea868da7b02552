// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// One attempt of a unary call.
// @unchecked: as every attempt, it is reached on the channel's loop until its caller is resumed, and by the caller after that.
final class UnaryAttempt<Request: Message, Response: Message, Failure: ErrorUnion>: Attempt, @unchecked Sendable {
  private let request: Request
  // Not an optional: the metadata of a generic one would be looked up with every use.
  /// The answer, once it has come.
  @exclusivity(unchecked) private var response: UnsafeMutablePointer<Response>?

  init(_ plan: CallPlan, _ request: Request, on dispatcher: CallDispatcher, wasRefused: Bool = false) {
    self.request = request
    super.init(plan, on: dispatcher, takesManyMessages: false, wasRefused: wasRefused)
  }

  deinit { dropResponse() }

  /// Tells of the metadata, and hands out the answer. To be called once, when the attempt has succeeded.
  func takeResponse() -> Response {
    if let onMetadata = plan.options.onMetadata {
      let end = end
      onMetadata(end.initial, end.trailing)
    }
    guard let response else { preconditionFailure("a call succeeds when its answer has come") }
    self.response = nil
    defer { response.deallocate() }
    return response.move()
  }

  private func dropResponse() {
    guard let response else { return }
    self.response = nil
    response.deinitialize(count: 1)
    response.deallocate()
  }

  override func write(to stream: ClientStream) throws(RPCError) {
    try stream.request(request, compression: plan.options.compression)
  }

  override func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes {
    dropResponse()
    let memory = UnsafeMutablePointer<Response>.allocate(capacity: 1)
    do throws(RPCError) {
      memory.initialize(to: try plan.wire.codec.decode(Response.self, message))
    } catch {
      memory.deallocate()
      throw error
    }
    response = memory
    plan.options.onMessage?(isCompressed)
    return .none
  }

  override func lifted(_ error: any TaxonomyError) -> any TaxonomyError { Failure.raised(error) }

  override func received(_ status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    let received = Failure.received(status, registry: dispatcher.knownErrors)
    return (received.error, received.notes)
  }
}
