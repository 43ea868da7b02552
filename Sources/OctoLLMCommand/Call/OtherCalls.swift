// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OctoLLM
import Taxon

struct PreprocessCall: Call {
  static let configuration = CommandConfiguration(
    commandName: "preprocess", abstract: "Have the reflex layer look at a text.")
  @Argument(help: "The text.") var text: String
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Reflex.PreprocessError) -> Answer {
    do {
      let reply = try await Reflex.Client(channel).preprocess(.init(text: text), options: options)
      return Answer(
        reply.cached ? "\(reply.text) (from the cache)" : reply.text,
        json: ["text": .string(reply.text), "cached": .bool(reply.cached)])
    } catch .piiDetected(let error) {
      return Answer(error, hint: "leave out \"\(error.excerpt)\"")
    }
  }
}

struct RaiseCall: Call {
  static let configuration = CommandConfiguration(
    commandName: "raise", abstract: "Rehearse an error: have the server raise it.")
  @Argument(help: "The error's domain, such as octollm.dev or reflex.octollm.dev.") var domain: String
  @Argument(help: "The error's code, such as DATABASE_ERROR.") var code: String
  @Option(help: "Answer after so many failures; 0 never does.") var times: Int32 = 0
  @Option(help: "Counts the failures.") var key = ""
  @Option(help: "Seconds the error asks to wait before a retry; without it those of the sample.")
  var retryAfter: Double?
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Rehearsal.RaiseError) -> Answer {
    let request = RaiseRequest(
      domain: domain, code: code, times: times, key: key,
      retryAfter: retryAfter.map { .init(Duration(boundedSeconds: $0)) })
    do {
      let reply = try await Rehearsal.Client(channel).raise(request, options: options)
      return Answer("answered after \(reply.failures) failures", json: ["failures": JSONValue(reply.failures)])
    } catch .other(let error) where error.status == .unimplemented {
      return Answer(error, hint: "rehearsals are only there after octollm serve --rehearsal")
    }
  }
}
