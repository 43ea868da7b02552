// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Fails calls with errors that have something to hide in every field. What is PERSONAL says so, what is INTERNAL too, and both
/// have a number of their own.
struct SecretsService: Secrets.Service {
  func unary(_ request: Ask, context: ServerContext) async throws(Secrets.UnaryError) -> Answer {
    try Secrets.UnaryError.catching(context: "INTERNAL-context") { try fail(request.how) }
    return Answer(text: "Nothing to hide")
  }

  func serverStream(
    _ request: Ask, responses: ResponseWriter<Answer, Secrets.ServerStreamError>, context: ServerContext
  ) async throws(Secrets.ServerStreamError) {
    try await responses.write(Answer(text: "first"))
    try Secrets.ServerStreamError.catching(context: "INTERNAL-context") { try fail(request.how) }
  }

  func clientStream(
    _ requests: RequestStream<Ask, Secrets.ClientStreamError>, context: ServerContext
  ) async throws(Secrets.ClientStreamError) -> Answer {
    for try await request in requests {
      try Secrets.ClientStreamError.catching(context: "INTERNAL-context") { try fail(request.how) }
    }
    return Answer(text: "Nothing to hide")
  }

  func bidirectional(
    _ requests: RequestStream<Ask, Secrets.BidirectionalError>,
    responses: ResponseWriter<Answer, Secrets.BidirectionalError>, context: ServerContext
  ) async throws(Secrets.BidirectionalError) {
    for try await request in requests {
      try Secrets.BidirectionalError.catching(context: "INTERNAL-context") { try fail(request.how) }
      try await responses.write(Answer(text: "Nothing to hide"))
    }
  }

  /// A library's error, as it describes itself.
  private struct Foreign: Error, CustomStringConvertible {
    let description = "SELECT 'INTERNAL-foreign'"
  }

  private func fail(_ how: String) throws {
    switch how {
    case "declared": throw try declared()
    case "cause": throw try declared().caused(by: hidden().caused(by: Foreign()))
    case "details": throw RPCError(.aborted, "safe").with(inner())
    case "details of a declared error": throw try declared().with(inner())
    case "large": throw try declared(safe: String(repeating: "safe ", count: 1200))
    case "foreign": throw Foreign()
    case "undeclared": throw hidden()
    case "conversion": throw try declared().context("INTERNAL-more")
    case "status": throw RPCError(.notFound, "safe").caused(by: Foreign())
    default: break
    }
  }

  private func inner() -> Leak.Inner {
    Leak.Inner(safe: "safe", personal: "PERSONAL-inner", internal: "INTERNAL-inner")
  }

  private func hidden() -> Hidden.Undeclared {
    Hidden.Undeclared(safe: "INTERNAL-undeclared", personal: "PERSONAL-undeclared", internal: "INTERNAL-undeclared")
  }

  private func holder() throws -> Holder {
    Holder(text: "held", inner: inner(), any: try Google_Protobuf_Any(packing: inner()))
  }

  private func declared(safe: String = "safe") throws -> Leak.Declared {
    Leak.Declared(
      safe: safe, personal: "PERSONAL-text", internal: "INTERNAL-text", personalOptional: "PERSONAL-optional",
      internalOptional: "INTERNAL-optional", personalList: ["PERSONAL-list"], internalList: ["INTERNAL-list"],
      personalMap: ["PERSONAL-key": "PERSONAL-value"], internalMap: ["INTERNAL-key": "INTERNAL-value"],
      personalBytes: Array("PERSONAL-bytes".utf8), internalBytes: Array("INTERNAL-bytes".utf8),
      personalNumber: 770_077_007_700, internalNumber: 880_088_008_800, first: .personalChoice("PERSONAL-choice"),
      second: .internalChoice("INTERNAL-choice"), personalHolder: Holder(text: "PERSONAL-held"),
      internalHolder: Holder(text: "INTERNAL-held"), inner: inner(), innerList: [inner()],
      innerMap: ["key": inner()], holder: try holder(), any: try Google_Protobuf_Any(packing: inner()),
      personalResource: .init(resourceName: "PERSONAL-resource"), internalQuota: [.init(subject: "INTERNAL-quota")])
  }
}
