// SPDX-License-Identifier: Apache-2.0

@testable import TaxonProtobuf

/// The types that an input can be one of; its first byte says which.
private let types: [any Message.Type] = [
  Singular.self, Repeated.self, Unpacked.self, Optionals.self, Choice.self, Maps.self, Scattered.self, Even.self,
  Nothing.self, Required.self, Grouped.self, Closed.self, ClosedRequired.self, Defaults.self, Extendable.self, Hen.self,
  Google_Protobuf_FileDescriptorSet.self, Google_Protobuf_Struct.self, Kinds.self,
  Test_Edition2023_Delimited.self, Test_Edition2023_Around.self, Test_Edition2023_Features.self,
  Test_Edition2024_Outer.self, Taxon_Test_Leaves_Leaf.self, Taxon_Test_Leaves_Branch.self,
]

/// Decodes any bytes: they are a message, which is the same after a round trip and when protobuf-c and the rewriting for it have no
/// part in reading it, or the error is at a byte of theirs.
func fuzzBinary(_ input: [UInt8]) {
  guard let first = input.first else { return }
  types[Int(first) % types.count].roundTrip(Array(input.dropFirst()))
}

extension Message {
  fileprivate static func roundTrip(_ bytes: [UInt8]) {
    let message: Self
    do throws(MessageDecodingError) {
      message = try Self(decoding: bytes)
    } catch {
      precondition((0...bytes.count).contains(error.offset) && !error.messageName.isEmpty, "nowhere: \(error)")
      return
    }
    do {
      // The text, because NaN is not equal to itself, and entries of maps have no order.
      let encoded = try message.encoded()
      let again = try Self(decoding: encoded)
      precondition(again.description == message.description, "\(again) was \(message)")
      let size = try again.encoded().count
      precondition(size == encoded.count, "\(message) has another size")
      let wide = try readWithoutProtobufC(bytes)
      precondition(wide.description == message.description, "\(wide) without protobuf-c was \(message)")
      if let extendable = message as? Extendable { readExtensions(extendable) }
    } catch {
      preconditionFailure("what was decoded is not understood any more: \(error)")
    }
  }
}

extension Message {
  /// Decodes what has been decoded the usual way.
  private static func readWithoutProtobufC(_ bytes: [UInt8]) throws(MessageDecodingError) -> Self {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    arena.state.pointee.isRewritten = true
    return try bytes.withUnsafeBufferPointer { (bytes) throws(MessageDecodingError) in
      let bytes = UnsafeRawBufferPointer(bytes)
      var check = WireCheck(bytes: bytes, options: DecodingOptions())
      try check.check(descriptor)
      let message = WideUnpacker(bytes: bytes, arena: arena, groups: check.groups).unpack(descriptor)
      try descriptor.checkUnpacked(message, arena)
      return try descriptor.structTable.make(Self.self, message, arena)
    }
  }
}

/// What is set by its name is there, and nothing else changes.
private func readExtensions(_ message: Extendable) {
  var copy = message
  copy.amount = message.amount
  copy.label = message.label
  copy.steps = message.steps
  copy.words = message.words
  copy.kinds = message.kinds
  if let children = try? Extendable.children.value(in: message) { copy.children = children }
  if let strict = try? Extendable.strict.value(in: message) { copy.strict = strict }
  precondition(copy.amount == message.amount && copy.label == message.label && copy.steps == message.steps)
  precondition(copy.words == message.words && copy.kinds == message.kinds)
}
