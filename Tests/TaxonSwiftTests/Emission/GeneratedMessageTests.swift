// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// What the generated messages of Schemas/shop do.
@Suite struct GeneratedMessageTests {
  @Test func everyKindOfFieldKeepsItsValueOnTheWire() throws {
    var message = Everything(
      aDouble: 1.5, anInt32: -3, aUint64: .max, aSint32: -7, aBool: true, aString: "größer", someBytes: [0, 255],
      size: .default, maybeNumber: 0, maybeSize: .unspecified, texts: ["", "a"], numbers: [1, -1], looseNumbers: [2],
      sizes: [.xxl, .unrecognized(99)], sizesByNumber: [7: .small], flags: [true: [1]], outcome: .ofSize(.small))
    message.byName = ["x": Everything(aString: "inner")]
    message.more = [message]
    #expect(try Everything(decoding: message.encoded()) == message)
  }

  @Test func recursionIsByValue() throws {
    var tree = Tree(name: "root", left: Tree(name: "left"))
    let first = tree
    tree.left?.left = first
    tree.origin = .parent(tree)
    let copy = tree
    tree.left?.name = "changed"
    #expect(copy.left?.name == "left")
    #expect(try Tree(decoding: copy.encoded()) == copy)
    let hen = Hen(egg: Egg(hen: Hen()))
    #expect(try Hen(decoding: hen.encoded()) == hen)
  }

  @Test func awkwardNamesWork() throws {
    let names = Names(
      taskID: "1", default: "2", self_: "3", init_: "4", descriptor: "5", unknownFields: "6", isDefault: true,
      description: "7", reader: "8", writer: "9", in: "10", kind: .type(.self_), string: .init(value: "11"),
      field: .init(values: [[1]], size: .two), nested: .init(kind: .init()))
    #expect(try Names(decoding: names.encoded()) == names)
    #expect(names.descriptorField == "5" && names.isDefaultField)
  }

  @Test func aliasesAreOneValue() {
    #expect(Size.little == .small)
    #expect(Size.little.description == "SIZE_SMALL")
    #expect(Size(rawValue: 4) == .size2Metres)
  }

  @Test func proto2KeepsPresence() throws {
    let order = Shop_V1_Order(number: "", state: .closed, loose: [1, 2], tight: [3])
    let again = try Shop_V1_Order(decoding: order.encoded())
    #expect(again == order)
    #expect(again.$count == nil && again.count == 1)
  }
}
