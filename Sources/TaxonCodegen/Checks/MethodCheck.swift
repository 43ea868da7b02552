// SPDX-License-Identifier: Apache-2.0

/// Checks the methods of services.
struct MethodCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for method in schema.generatedFiles.flatMap(\.services).flatMap(\.methods) {
      guard method.streamsRequests || method.streamsResponses else { continue }
      let tag = method.streamsRequests ? Tag.methodClientStreaming : Tag.methodServerStreaming
      diagnostics.error(
        method.service.file.sources.place(method.path + [tag]),
        "method \(method.name) streams, and streaming methods are not generated yet; "
          + "take the word stream away, or move the method to a file that is not generated")
    }
  }
}
