// SPDX-License-Identifier: Apache-2.0
import Foundation
import OctoLLM
import Taxon

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

extension Walk {
  /// One error by each road to the same handler, on the same port.
  func roads() async throws {
    section("Roads", "the same error by gRPC, Connect, JSON and REST, on one port")
    await expect("gRPC, GetTask 42", "TASK_NOT_FOUND") { () async throws(Orchestrator.GetTaskError) in
      try await orchestrator.getTask(.init(taskID: "42"), options: Self.asOwner)
    } typed: { error in
      if case .taskNotFound(let error) = error { error.taskID == "42" } else { false }
    }
    let session = URLSession(configuration: .ephemeral)
    defer { session.finishTasksAndInvalidate() }
    let path = "/octollm.v1.Orchestrator/GetTask"
    let asConnect = ["connect-protocol-version": "1", "content-type": "application/json"]
    let asProblem = ["content-type": "application/json", "accept": "application/problem+json"]
    try await show(session, "Connect", path, asConnect, #"{"taskId":"42"}"#, #""code":"not_found""#)
    let json = ["content-type": "application/json"]
    try await show(session, "JSON", path, json, #"{"task_id":"42"}"#, #"{"error":"TASK_NOT_FOUND""#)
    try await show(session, "JSON, as a problem", path, asProblem, #"{"task_id":"42"}"#, "octollm.dev")
    try await show(session, "REST, GET", "/v1/tasks/42", [:], nil, #"{"error":"TASK_NOT_FOUND""#)
  }

  /// Sends a request over HTTP/1.1, shows its answer and checks that it is an error with HTTP status 404 and says `expected`.
  private func show(
    _ session: URLSession, _ road: String, _ path: String, _ fields: [String: String], _ body: String?,
    _ expected: String
  ) async throws {
    guard let url = URL(string: "http://127.0.0.1:\(stage.port)\(path)") else {
      return check(false, "\(path) is no URL")
    }
    var request = URLRequest(url: url)
    if let body {
      request.httpMethod = "POST"
      request.httpBody = Data(body.utf8)
    }
    request.setValue("Bearer \(Stage.ownerToken)", forHTTPHeaderField: "authorization")
    for (name, value) in fields { request.setValue(value, forHTTPHeaderField: name) }
    let (data, response) = try await session.data(for: request)
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    let text = String(decoding: data, as: UTF8.self)
    let type = (response as? HTTPURLResponse)?.value(forHTTPHeaderField: "content-type") ?? ""
    console.line(row(road, console.styled("HTTP \(status)".padded(to: Column.error), .yellow), type, "", ""))
    console.line("    " + console.styled(text.cut(to: 96), .dim))
    check(
      status == 404 && text.contains(expected) && text.contains("42"),
      "\(road): an error with HTTP status 404 was expected, \(status) with \(text) came")
  }
}
