// SPDX-License-Identifier: Apache-2.0

/// Why a message cannot be encoded.
public struct MessageEncodingError: Error, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The message takes more than 2 GiB, the limit of the format.
    case tooLarge(byteCount: Int)
    /// A required field is nil. Only messages that contain each other by way of required fields alone have such fields.
    case missingRequiredField(String)
  }

  /// What is wrong.
  public let reason: Reason
  /// Full name of the message.
  public let messageName: String

  /// One line for people.
  public var description: String {
    switch reason {
    case .tooLarge(let byteCount): "\(messageName): \(byteCount) bytes are more than the 2 GiB a message can have"
    case .missingRequiredField(let name): "\(messageName).\(name): a required field is missing"
    }
  }
}
