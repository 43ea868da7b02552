// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Does what a request of the runner asks for: reads a message in one format and writes it in another.
///
/// `registry` has the messages of the tests, what an Any of theirs may hold, and the extensions: Scripts/conformance
/// writes it.
enum Testee {
  private static func decodingOptions(_ request: Conformance_ConformanceRequest) -> JSONDecodingOptions {
    JSONDecodingOptions(
      ignoresUnknownFields: request.testCategory == .jsonIgnoreUnknownParsingTest, registry: registry)
  }

  private static let textOptions = TextFormatDecodingOptions(registry: registry)

  static func response(to bytes: [UInt8]) -> Conformance_ConformanceResponse {
    do throws(MessageDecodingError) {
      let newer = try Taxon_Conformance_NewerRequest(decoding: bytes)
      return Conformance_ConformanceResponse(
        result: result(try Conformance_ConformanceRequest(decoding: bytes), newer))
    } catch {
      return Conformance_ConformanceResponse(result: .runtimeError(error.description))
    }
  }

  /// Throws for an extension that is not of its type. They are decoded when somebody asks for them, as JSON does.
  private static func readExtensions(of message: any Message) throws {
    do {
      _ = try message.jsonBytes(options: JSONEncodingOptions(registry: registry))
    } catch {
      if case .undecodableExtension = error.reason { throw error }
    }
  }

  private static func result(
    _ request: Conformance_ConformanceRequest, _ newer: Taxon_Conformance_NewerRequest
  ) -> Conformance_ConformanceResponse.Result {
    // The tests that the testee itself knows to fail: none.
    if request.messageType == "conformance.FailureSet" { return .protobufPayload([]) }
    guard let type = registry.type(named: request.messageType) else { return .skipped("no \(request.messageType)") }
    // To ignore what cannot be done would look like a result, so runners ask for these to be skipped.
    if newer.discardUnknownFields { return .skipped("unknown fields are not discarded") }
    var message: any Message
    do {
      switch request.payload {
      case .protobufPayload(let bytes):
        message = try type.init(decoding: bytes)
        try readExtensions(of: message)
      case .jsonPayload(let text):
        message = try type.init(json: text, options: decodingOptions(request))
      case .jspbPayload: return .skipped("no JSPB")
      case .textPayload(let text): message = try type.init(textFormat: text, options: textOptions)
      case nil: return .runtimeError("the request has no payload")
      }
      // Messages are merged by protobuf's definition of it: what is encoded in succession is decoded as one.
      switch newer.mergePayload {
      case .mergeProtobufPayload(let bytes):
        message = try type.init(decoding: message.encoded() + type.init(decoding: bytes).encoded())
      case .mergeJSONPayload(let text):
        let other = try type.init(json: text, options: decodingOptions(request))
        message = try type.init(decoding: message.encoded() + other.encoded())
      case .mergeTextPayload(let text):
        let other = try type.init(textFormat: text, options: textOptions)
        message = try type.init(decoding: message.encoded() + other.encoded())
      case nil: break
      }
    } catch {
      return .parseError("\(error)")
    }
    do {
      switch request.requestedOutputFormat {
      case .protobuf: return .protobufPayload(try message.encoded())
      case .json: return .jsonPayload(try message.jsonString(options: JSONEncodingOptions(registry: registry)))
      case .jspb: return .skipped("no JSPB")
      case .textFormat:
        let options = TextFormatEncodingOptions(printsUnknownFields: request.printUnknownFields, registry: registry)
        return .textPayload(message.textFormatString(options: options))
      case .unspecified, .unrecognized: return .runtimeError("the request asks for no format")
      }
    } catch {
      return .serializeError("\(error)")
    }
  }
}
