// SPDX-License-Identifier: Apache-2.0

extension Payload {
  static func zeros(_ count: Int) -> Payload { Payload(body: [UInt8](repeating: 0, count: count)) }
}

/// Metadata that the server sends back, under the same name.
enum EchoMetadata {
  static let initial = "x-grpc-test-echo-initial"
  static let trailing = "x-grpc-test-echo-trailing-bin"
}
