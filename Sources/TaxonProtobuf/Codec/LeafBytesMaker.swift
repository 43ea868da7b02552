// SPDX-License-Identifier: Apache-2.0
import CProtobufC

/// Makes, for messages that contain leaves, the tables with which protobuf-c hands these on as bytes.
///
/// They have protobuf-c's structs as the other tables have them, but for the slots of leaves: bytes where there would be
/// the address of a message.
struct LeafBytesMaker {
  private let tables: [StructTable]

  /// Gives the tables, and nobody else's, their leaves and their second tables. Called once for each.
  static func complete(_ tables: [StructTable]) {
    for table in tables { table.editable.pointee.leaf = LeafTable(table.descriptor, table) }
    let maker = LeafBytesMaker(tables: tables)
    let chosen = maker.tablesWithLeaves()
    // All of them before the first is filled in: messages can contain each other.
    for table in chosen { table.editable.pointee.leafBytes = table.copied() }
    for table in chosen { table.fillInLeafBytes() }
  }

  /// The tables of messages that contain leaves, in whatever depth.
  private func tablesWithLeaves() -> [StructTable] {
    var chosen: [StructTable] = []
    var others = tables.filter(\.canHaveLeafBytes)
    var addresses: Set<UnsafePointer<StructTable.Content>> = []
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for table in others where table.inner.contains(where: { $0.hasLeaves || addresses.contains($0.content) }) {
        chosen.append(table)
        addresses.insert(table.content)
        hasChanged = true
      }
      others.removeAll { addresses.contains($0.content) }
    }
    return chosen
  }
}

extension StructTable {
  fileprivate var editable: UnsafeMutablePointer<Content> { UnsafeMutablePointer(mutating: content) }
  fileprivate var descriptor: MessageDescriptor { content.pointee.descriptor.takeUnretainedValue() }

  /// Groups are rewritten before protobuf-c sees them, and of very many fields it keeps a set.
  fileprivate var canHaveLeafBytes: Bool {
    content.pointee.leaf == nil && !descriptor.hasGroups && descriptor.count <= LeafTable.fieldLimit
  }

  fileprivate var hasLeaves: Bool { content.pointee.leaf != nil || content.pointee.leafBytes != nil }

  fileprivate var properties: UnsafeMutableBufferPointer<StoredProperty> {
    UnsafeMutableBufferPointer(start: content.pointee.properties, count: content.pointee.count)
  }

  /// The messages that lie in the struct or in an array of it.
  fileprivate var inner: some Sequence<StructTable> { properties.lazy.compactMap(\.inner) }

  /// The same table, with properties and tables for protobuf-c of its own.
  fileprivate func copied() -> StructTable {
    let properties = UnsafeMutablePointer<StoredProperty>.allocate(capacity: max(content.pointee.count, 1))
    properties.initialize(from: content.pointee.properties, count: content.pointee.count)
    let layout = Array(UnsafeBufferPointer(start: descriptor.layout, count: descriptor.count))
    let cTable = CTables.message(CTables.fields(layout), layout)
    cTable.pointee.reserved1 = descriptor.table.pointee.reserved1
    let copy = UnsafeMutablePointer<Content>.allocate(capacity: 1)
    copy.initialize(to: content.pointee)
    copy.pointee.properties = properties
    copy.pointee.cTable = UnsafeRawPointer(cTable)
    return StructTable(content: UnsafePointer(copy))
  }

  /// Makes bytes of the leaves in the second table, and refers to the second tables of other messages.
  fileprivate func fillInLeafBytes() {
    // `complete` has made it, with fields.
    let copy = content.pointee.leafBytes!
    let table = copy.content.pointee.cTable.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    let cFields = UnsafeMutablePointer(mutating: table.pointee.fields!)
    for index in 0..<descriptor.count { cFields[index].descriptor = descriptor.cFields[index].descriptor }
    for property in copy.properties.indices {
      guard let inner = copy.properties[property].inner, inner.hasLeaves else { continue }
      // Each property of a message has a slot of its own.
      let field = (0..<descriptor.count).first { descriptor.layout[$0].offset == copy.properties[property].slot }!
      if let second = inner.content.pointee.leafBytes {
        copy.properties[property].inner = second
        cFields[field].descriptor = second.content.pointee.cTable
      } else {
        copy.properties[property].form = copy.properties[property].form.ofLeaf
        cFields[field].type = PROTOBUF_C_TYPE_BYTES
        cFields[field].descriptor = nil
      }
    }
  }
}

extension StoredForm {
  /// The form of a leaf, for that of a message.
  fileprivate var ofLeaf: StoredForm {
    switch self {
    case .message: .leaf
    case .optionalMessage: .optionalLeaf
    case .messages: .leaves
    default: self
    }
  }
}
