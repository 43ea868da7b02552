// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TaxonProtobuf

private typealias Delimited = Test_Edition2023_Delimited
private typealias Around = Test_Edition2023_Around
private typealias Needed = Test_Edition2023_Needed

/// Messages between the tags of a group: groups of proto2, and `DELIMITED` fields of editions.
@Suite struct GroupTests {
  /// The bytes are those that Google's Python writes.
  // Computed: the leak checker does not find the boxes of indirect cases from a constant, as their addresses have bits on top.
  private static var messages: [(Delimited, String)] {
    [
      (Delimited(inner: .init(a: 1, text: "x")), "0b 0801 120178 0c"),
      (Delimited(inner: .init()), "0b 0c"),
      (Delimited(list: [.init(a: 1), .init(), .init(text: "y")]), "23 0801 24 23 24 23 120179 24"),
      (Delimited(choice: .first(.init(a: 5))), "3b 0805 3c"),
      (Delimited(choice: .second(.init(a: 5))), "4202 0805"),
      (Delimited(choice: .number(3)), "4803"),
      (Delimited(deep: .init(inner: .init(nested: .init(choice: .number(1))))), "837d 0b 23 4801 24 0c 847d"),
      // Groups in what is length-prefixed: a message, an entry of a map.
      (Delimited(prefixed: .init(nested: .init(other: .init(a: 2)))), "1a06 23 13 0802 14 24"),
      (Delimited(map: ["k": .init(nested: .init(choice: .number(1)))]), "3209 0a016b 1204 23 4801 24"),
      (Delimited(needed: .init(value: 0)), "2b 0800 2c"),
    ]
  }

  @Test(arguments: messages.indices)
  func aGroupIsWrittenAndReadAsAMemberLikeAnyOther(index: Int) throws {
    let (message, bytes) = Self.messages[index]
    #expect(hex(try message.encoded()) == hex(hex(bytes)))
    #expect(try Delimited(decoding: hex(bytes)) == message)
    // The same inside of a message that has none itself.
    let around = Around(around: [Around(delimited: message)])
    #expect(try Around(decoding: around.encoded()) == around)
  }

  @Test func manyLevelsAreRead() throws {
    var message = Delimited(choice: .number(1))
    for _ in 0..<99 { message = Delimited(deep: message) }
    #expect(try Delimited(decoding: message.encoded()) == message)
    let deeper = try Delimited(deep: Delimited(deep: message)).encoded()
    #expect(throws: MessageDecodingError.self) { try Delimited(decoding: deeper) }
    var options = DecodingOptions()
    options.nestingLimit = 200
    #expect(try Delimited(decoding: deeper, options: options).deep?.deep == message)
  }

  @Test func aLargeInputOfGroupsInsideEachOtherTakesNoMoreTimeThanItsSize() throws {
    var message = Delimited(inner: .init(text: String(repeating: "x", count: 1_000_000)))
    for _ in 0..<90 { message = Delimited(list: [.init(a: 1), .init(nested: message)]) }
    let bytes = try message.encoded()
    #expect(try Delimited(decoding: bytes, options: DecodingOptions(nestingLimit: 1000)) == message)
  }

  @Test(arguments: [
    // The end is that of another number, is missing, comes twice, or without a beginning.
    ("0b 0801 14", 3), ("0b 0801", 0), ("0b 0801 0c 0c", 4), ("0c", 0), ("1a01 0b", 2), ("0b 23 0c", 2),
    // What is inside is no message.
    ("0b 08 0c", 0), ("0b 1201ff 0c", 3), ("0b 12ff7f 0c", 2),
  ])
  func whatIsMalformedIsRefusedAtItsPlace(bytes: String, offset: Int) throws {
    let error = try #require(throws: MessageDecodingError.self) { try Delimited(decoding: hex(bytes)) }
    #expect(error.offset == offset, "\(error)")
  }

  @Test func aRequiredFieldIsMissedInAGroup() throws {
    let error = try #require(throws: MessageDecodingError.self) { try Delimited(decoding: hex("2b 2c")) }
    #expect(error.reason == .missingRequiredField && error.fieldName == "value")
    #expect(try Delimited(decoding: hex("2b 2c 2b 0801 2c")).needed == Needed(value: 1))
  }

  @Test func partsAreMerged() throws {
    let message = try Delimited(decoding: hex("0b 0801 23 4801 24 0c  0b 120178 23 5000 24 0c"))
    #expect(message.inner?.a == 1 && message.inner?.text == "x")
    #expect(message.inner?.nested?.choice == .number(1))
    #expect(message.inner?.nested?.unknownFields.bytes == hex("5000"))
    // Another member of the oneof in between takes the first away.
    #expect(try Delimited(decoding: hex("3b 0801 3c 4803 3b 120178 3c")).choice == .first(.init(text: "x")))
    #expect(try Delimited(decoding: hex("3b 0801 3c 4803")).choice == .number(3))
  }

  @Test(arguments: [
    // A length-prefixed value of a delimited field, a group of a length-prefixed one, of a number, of an unknown field.
    "0a020801", "1b 0801 1c", "4b 0801 4c", "9b06 0801 9b07 9c07 9c06",
  ])
  func anotherFormIsAnUnknownField(bytes: String) throws {
    let message = try Delimited(decoding: hex(bytes))
    #expect(message.unknownFields.bytes == hex(bytes))
    #expect(try message.encoded() == hex(bytes))
    // And stays one behind a value of the field.
    let both = try Delimited(decoding: hex(bytes) + hex("0b 0802 0c 1a00 4801"))
    #expect(both.inner?.a == 2 && both.unknownFields.bytes == hex(bytes))
    #expect(try Delimited(decoding: both.encoded()) == both)
  }

  @Test func groupsOfProto2() throws {
    let bytes = hex("0801 13 0a0178 14 1802 1803")
    let message = try Grouped(decoding: bytes)
    #expect(message == Grouped(before: 1, member: .init(name: "x"), after: [2, 3]))
    // protobuf-c writes them behind the others.
    #expect(try Grouped(decoding: message.encoded()) == message)
    var extendable = Extendable()
    extendable.old = .init(number: 4)
    #expect(try extendable.encoded() == hex("f306 0804 f406"))
    #expect(try Extendable(decoding: extendable.encoded()).old == .init(number: 4))
  }

  @Test func extensionsAreDelimitedToo() throws {
    var message = Delimited()
    message.testEdition2023Added = .init(a: 1, nested: .init(inner: .init()))
    message.testEdition2023Addeds = [.init(a: 2), .init(a: 3)]
    #expect(try message.encoded() == hex("a306 0801 23 0b 0c 24 a406 ab06 0802 ac06 ab06 0803 ac06"))
    let read = try Delimited(decoding: message.encoded())
    #expect(read.testEdition2023Added == message.testEdition2023Added)
    #expect(read.testEdition2023Addeds.map(\.a) == [2, 3])
    let registry = TypeRegistry.edition2023
    let json = try message.jsonString(options: JSONEncodingOptions(registry: registry))
    #expect(try Delimited(json: json, options: JSONDecodingOptions(registry: registry)) == message)
  }

  @Test func theExtensionsOfARegistryAreCheckedWhenItIsAsked() throws {
    let registry = TypeRegistry.edition2023
    try registry.checkExtensions(of: Delimited(decoding: hex("a306 0801 a406 0b 0c")))
    for bytes in ["a306 1201ff a406", "a306 1a020b0b a406"] {
      let error = #expect(throws: MessageDecodingError.self) {
        try registry.checkExtensions(of: Delimited(decoding: hex(bytes)))
      }
      #expect(error != nil, "\(bytes)")
    }
    // What it does not know is not looked at.
    try TypeRegistry().checkExtensions(of: Delimited(decoding: hex("a306 1201ff a406")))
  }

  @Test func jsonIsThatOfAnyMessage() throws {
    let message = Delimited(
      inner: .init(a: 1), list: [.init(), .init(a: 2)], choice: .first(.init(text: "x")), deep: .init(inner: .init()))
    let json = try message.jsonString()
    #expect(json == #"{"inner":{"a":1},"list":[{},{"a":2}],"first":{"text":"x"},"deep":{"inner":{}}}"#)
    #expect(try Delimited(json: json) == message)
    // Packed inside of an Any.
    let any = try Google_Protobuf_Any(packing: message)
    let options = JSONEncodingOptions(registry: .edition2023)
    let read = try Google_Protobuf_Any(json: any.jsonString(options: options), options: .init(registry: .edition2023))
    #expect(try Delimited(decoding: read.value) == message)
  }

  @Test func aFieldOfGroupsAroundIsReplacedInPlace() throws {
    let bytes = try Delimited(inner: .init(a: 1), list: [.init(a: 2)], map: ["k": .init(a: 3)]).encoded()
    let replaced = Delimited.descriptor.replacingMessages(in: bytes) { _, _ in hex("0809") }
    #expect(
      try Delimited(decoding: replaced) == Delimited(inner: .init(a: 9), list: [.init(a: 9)], map: ["k": .init(a: 9)]))
  }

  @Test func veryManyGroupsAreRead() throws {
    let message = Delimited(list: Array(repeating: .init(a: 1), count: 300_000))
    #expect(try Delimited(decoding: message.encoded()).list.count == 300_000)
  }

  @Test(arguments: messages.indices)
  func withoutProtobufCTheyAreReadAsWithIt(index: Int) throws {
    let bytes = try Self.messages[index].0.encoded() + hex("9b06 0801 9c06 0b 0807 0c")
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    arena.state.pointee.isRewritten = true
    Delimited.descriptor.link()
    let message = try bytes.withUnsafeBytes { bytes in
      var check = WireCheck(bytes: bytes, options: DecodingOptions())
      try check.check(Delimited.descriptor)
      let unpacked = WideUnpacker(bytes: bytes, arena: arena, groups: check.groups).unpack(Delimited.descriptor)
      return try Delimited.descriptor.structTable.make(Delimited.self, unpacked, arena)
    }
    #expect(try message == Delimited(decoding: bytes))
  }

  @Test func othersPayNothing() {
    for type in [Singular.self, Maps.self, Closed.self] as [any Message.Type] {
      type.descriptor.link()
      #expect(!type.descriptor.hasGroups)
    }
    Around.descriptor.link()
    #expect(Around.descriptor.hasGroups)
  }
}

/// What the features of editions make of fields and enums.
@Suite struct EditionTests {
  private typealias Features = Test_Edition2023_Features

  @Test func presenceIsThatOfTheField() throws {
    #expect(throws: MessageDecodingError.self) { try Features(decoding: []) }
    var message = Features(required: 0)
    #expect(hex(try message.encoded()) == "1800")
    message.explicit = 0
    message.implicit = 0
    message.defaulted = 7
    #expect(hex(try message.encoded()) == "080018002007")
    #expect(try Features(decoding: hex("1000 1801")).implicit == 0)
    #expect(try Features(decoding: hex("1801")).defaulted == 7)
  }

  @Test func listsArePackedUnlessTheFieldSaysOtherwise() throws {
    let message = Features(required: 1, packed: [1, 2], expanded: [1, 2], closeds: [.one, .two])
    #expect(hex(try message.encoded()) == hex(hex("1801 2a020102 3001 3002 4a020102")))
    // Read in both forms.
    #expect(try Features(decoding: hex("1801 2801 2802 32020102 4801 4802")) == message)
  }

  @Test func enumsAreOpenOrClosedEach() throws {
    let message = try Features(decoding: hex("1801 3807 4007 4a020703"))
    #expect(message.open == .unrecognized(7) && message.closed == nil && message.closeds.isEmpty)
    #expect(message.unknownFields.bytes == hex("4007 4807 4803"))
  }

  @Test func stringsAreCheckedWhateverTheFeatureSays() {
    #expect(throws: MessageDecodingError.self) { try Features(decoding: hex("1801 5201ff")) }
    #expect(throws: MessageDecodingError.self) { try Test_Edition2024_Local(decoding: hex("0a01ff")) }
  }

  @Test func aFilesFeaturesAreInherited() throws {
    let message = Test_Edition2024_Outer(
      value: 0, local: .init(text: "", mood: .unspecified), nested: [.init(value: 1)], map: [1: .init(value: 2)])
    #expect(hex(try message.encoded()) == hex(hex("2206 0801 1202 0802 13 0a00 14 1b 0801 1c")))
    #expect(try Test_Edition2024_Outer(decoding: message.encoded()) == message)
  }
}
