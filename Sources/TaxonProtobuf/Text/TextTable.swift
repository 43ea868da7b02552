// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What reading the text format needs to know of a message besides what JSON does; made on first use, never freed.
struct TextTable {
  let descriptor: Unmanaged<MessageDescriptor>
  /// Members in the order of their numbers, and a message with no field set.
  let json: UnsafePointer<JSONTable>
  /// From names in the text format to members; reserved names go to `count`.
  private let names: JSONNames
  /// The number of members.
  let count: Int

  /// The descriptor must be linked.
  init(_ descriptor: MessageDescriptor) {
    self.descriptor = Unmanaged.passUnretained(descriptor)
    json = descriptor.json
    count = descriptor.count
    var entries: [JSONNames.Entry] = []
    func add(_ name: String, _ index: Int) {
      var buffer = JSONBuffer(arena: nil)
      name.withContiguousUTF8 { buffer.raw($0) }
      let bytes = buffer.keep()
      // Names are not empty.
      entries.append(JSONNames.Entry(start: UnsafePointer(bytes.baseAddress!), count: bytes.count, index: index))
    }
    for index in 0..<count {
      let field = descriptor.fields[descriptor.layout[index].position]
      add(field.textName, index)
      if field.textName != field.name { add(field.name, index) }
    }
    for name in descriptor.reservedNames where !name.isEmpty { add(name, count) }
    names = JSONNames(entries)
  }

  /// The index of a member; `count` for a reserved name, nil for one that the message does not have.
  func index(of name: UnsafeBufferPointer<UInt8>) -> Int? { names.index(of: name) }

  /// The full name of the message.
  var name: String { json.pointee.name }
}

extension MessageDescriptor {
  private static let tables = Locked(0)

  /// The table for the text format. The descriptor must be linked.
  var text: UnsafePointer<TextTable> {
    if let address = UnsafePointer<TextTable>(bitPattern: textTable.load(ordering: .acquiring)) { return address }
    return Self.tables.table(at: textTable) { TextTable(self) }
  }
}

extension Field {
  /// The name in the text format: that of the schema; a group has the name of its type. An extension keeps its own, in
  /// brackets.
  var textName: String {
    guard type.encoding == .group, !name.hasPrefix("["), let type = type.message?.name else { return name }
    return type.split(separator: ".").last.map(String.init) ?? name
  }
}
