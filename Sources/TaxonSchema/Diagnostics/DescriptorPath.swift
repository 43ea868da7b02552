// SPDX-License-Identifier: Apache-2.0

/// The path of a declaration inside a FileDescriptorProto: field numbers and indices in turn (descriptor.proto,
/// SourceCodeInfo.Location).
package typealias DescriptorPath = [Int32]

/// Field numbers of descriptor.proto, of which the paths of SourceCodeInfo are made, and of taxon/taxonomy.proto.
enum Tag {
  /// The name of a message, field, oneof, enum, service or method.
  static let name: Int32 = 1

  static let fileMessage: Int32 = 4
  static let fileEnum: Int32 = 5
  static let fileService: Int32 = 6
  static let fileExtension: Int32 = 7
  static let fileOptions: Int32 = 8

  static let messageField: Int32 = 2
  static let messageNested: Int32 = 3
  static let messageEnum: Int32 = 4
  static let messageExtension: Int32 = 6
  static let messageOptions: Int32 = 7
  static let messageOneof: Int32 = 8

  static let fieldOptions: Int32 = 8

  static let enumValue: Int32 = 2

  static let serviceMethod: Int32 = 2
  static let serviceOptions: Int32 = 3

  static let methodInput: Int32 = 2
  static let methodOutput: Int32 = 3
  static let methodOptions: Int32 = 4

  /// The extensions `taxonomy`, `category`, `field`, `service_raises` and `raises`.
  static let firstOption: Int32 = 51820
  /// The extensions `error` and `file_raises`.
  static let secondOption: Int32 = 51821
}
