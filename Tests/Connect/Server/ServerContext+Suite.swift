// SPDX-License-Identifier: Apache-2.0
import Taxon

extension ServerContext {
  /// What came with the call.
  func requestInfo(_ requests: [Google_Protobuf_Any]) -> SuiteConformancePayload.RequestInfo {
    let timeLeft = deadline.map { ContinuousClock.now.duration(to: $0) / .milliseconds(1) }
    return SuiteConformancePayload.RequestInfo(
      requestHeaders: metadata.headers, timeoutMs: timeLeft.map { Int64(max(0, $0)) }, requests: requests,
      connectGetInfo: requestLine.flatMap(\.connectGetInfo))
  }

  /// The answer of a call that has one, once it is time for it.
  func answer(
    _ definition: SuiteUnaryResponseDefinition?, to requests: [some Message]
  ) async throws -> SuiteConformancePayload {
    let definition = definition ?? SuiteUnaryResponseDefinition()
    let info = requestInfo(try requests.map { try Google_Protobuf_Any(packing: $0) })
    initialMetadata = Metadata(definition.responseHeaders)
    trailingMetadata = Metadata(definition.responseTrailers)
    compressesReply = true
    try await Task.sleep(for: .milliseconds(definition.responseDelayMs))
    switch definition.response {
    case .responseData(let data): return SuiteConformancePayload(data: data, requestInfo: info)
    case .error(let error): throw RPCError(error, and: [try Google_Protobuf_Any(packing: info)])
    case nil: return SuiteConformancePayload(requestInfo: info)
    }
  }
}

extension HTTPRequestLine {
  /// What the query of a GET says, each name once with all of its values; nil for another verb.
  fileprivate var connectGetInfo: SuiteConformancePayload.ConnectGetInfo? {
    guard method == "GET" else { return nil }
    var parameters: [SuiteHeader] = []
    for (name, value) in query {
      if let index = parameters.firstIndex(where: { $0.name == name }) {
        parameters[index].value.append(value)
      } else {
        parameters.append(SuiteHeader(name: name, value: [value]))
      }
    }
    return SuiteConformancePayload.ConnectGetInfo(queryParams: parameters)
  }
}
