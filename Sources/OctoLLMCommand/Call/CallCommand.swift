// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Logging
import OctoLLM
import Taxon

struct CallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Call a server and print its answer, or its error.",
    discussion: "Exits with 0 after an answer and with 1 after an error.",
    subcommands: [
      CreateCall.self, GetCall.self, WatchCall.self, ListCall.self, UpdateCall.self, ExecuteCall.self,
      ExecuteAllCall.self,
      PreprocessCall.self, RaiseCall.self,
    ])
}

/// A command that makes calls and prints what comes of them.
protocol Call: ParsableCommand, Sendable {
  associatedtype Failure: ErrorUnion

  var connection: Connection { get }

  /// Makes the calls. What it throws is printed as it is; what it catches, it can say more about.
  func call(_ channel: Channel, _ options: CallOptions) async throws(Failure) -> Answer
}

extension Call {
  func run() throws {
    LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
    let answer = try waiting {
      do {
        let channel = try connection.open()
        defer { channel.shutDown() }
        return try await call(channel, connection.options)
      } catch let error as any TaxonomyError {
        return Answer(error)
      }
    }
    answer.print(asJSON: connection.json)
    if answer.isFailure { throw ExitCode.failure }
  }
}

/// How to reach the server, and how to print what it answers: options of every call.
struct Connection: ParsableArguments, Sendable {
  @Option(help: "Where the server is.") var target = "dns:///127.0.0.1:50051"
  @Option(help: "The bearer token; by default the value of OCTOLLM_TOKEN.") var token: String?
  @Option(help: "Seconds for the call with all its attempts.") var timeout: Double?
  @Option(help: "How often an attempt that failed may be repeated, if the error and the method allow it.")
  var retries = 0
  @Flag(help: "Print the answer or the error as one JSON object.") var json = false
  @Flag(name: .shortAndLong, help: "Print to stderr what is decided about each attempt that fails.") var verbose = false

  func validate() throws {
    if let timeout, !(timeout > 0 && timeout < 1e9) {
      throw ArgumentParser.ValidationError("--timeout must be more than 0 seconds")
    }
    if retries < 0 { throw ArgumentParser.ValidationError("--retries must not be negative") }
  }

  func open() throws(SetupError) -> Channel {
    let policy = CallPolicy(retry: RetryPolicy(maxRetries: retries), breaker: nil)
    guard verbose else { return try Channel(target, policy: policy) }
    return try Channel(target, policy: policy) { event in
      FileHandle.standardError.write(Data("\(event.short)\n".utf8))
    }
  }

  var options: CallOptions {
    var options = CallOptions(timeout: timeout.map { .seconds($0) })
    if let token = token ?? ProcessInfo.processInfo.environment["OCTOLLM_TOKEN"] {
      options.metadata["authorization"] = "Bearer \(token)"
    }
    return options
  }
}

/// What a call prints.
struct Answer: Sendable {
  private let text: String
  private let json: String
  let isFailure: Bool

  /// Prints nothing: the call has printed its output itself.
  static let nothing = Answer("", json: .null)

  /// A reply.
  init(_ text: String, json: JSONValue, isFailure: Bool = false) {
    self.text = text
    self.json = json.line
    self.isFailure = isFailure
  }

  /// An error.
  ///
  /// - Parameter hint: What the caller may do about it.
  init(_ error: some TaxonomyError, hint: String? = nil) {
    let report = ErrorReport(error, hint: hint)
    text = report.text
    json = report.json
    isFailure = true
  }

  /// A task.
  init(_ task: TaskRecord) {
    self.init(task.details, json: task.json)
  }

  /// JSON goes to stdout, be it an error or not; of the text, errors go to stderr.
  func print(asJSON: Bool) {
    if text.isEmpty { return }
    let handle = isFailure && !asJSON ? FileHandle.standardError : FileHandle.standardOutput
    handle.write(Data(((asJSON ? json : text) + "\n").utf8))
  }
}
