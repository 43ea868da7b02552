// SPDX-License-Identifier: Apache-2.0

import CProtobufC
import Synchronization

/// What is known of a message at run time: its full name, its fields, and protobuf-c's tables made from them.
///
/// One is made for every message type, once, and never freed. The tables of the messages inside are linked on first
/// use, so that messages can contain each other.
public final class MessageDescriptor: @unchecked Sendable {
  // @unchecked: what is not `let` is written by `link()` alone, under its lock, before `isLinked` is set.

  /// The full name, such as `octollm.v1.TaskRecord`.
  public let name: String
  /// The table, in its own order.
  public let fields: [Field]

  let isMapEntry: Bool
  /// What protobuf-c works from. Its fields are in the order of their numbers.
  let table: UnsafeMutablePointer<ProtobufCMessageDescriptor>
  let cFields: UnsafeMutablePointer<ProtobufCFieldDescriptor>
  /// What this module works from, in the same order as `cFields`.
  let layout: UnsafeMutablePointer<FieldLayout>
  /// The indices in `layout` of the required fields.
  let required: [Int]
  /// A message with no field set, for the places where the wire leaves one out.
  let emptyInstance: UnsafeMutableRawPointer
  /// Descriptors of the entries of map fields, by index in `fields`.
  let entries: [Int: MessageDescriptor]

  /// How deep messages can be nested inside this one; Int.max where they can contain themselves.
  fileprivate(set) var greatestDepth = 0
  /// Whether this message, or one that it can contain, has a singular field of a closed enum.
  fileprivate(set) var hasClosedEnums: Bool
  private let isLinked = Atomic<Bool>(false)
  /// The address of what JSON needs to know, once it has been asked for.
  let jsonTable = Atomic<UInt>(0)

  /// A message of the schema. Members of a oneof stand next to each other.
  public convenience init(_ name: String, _ fields: [Field]) {
    self.init(name, fields, isMapEntry: false)
  }

  private init(_ name: String, _ fields: [Field], isMapEntry: Bool) {
    self.name = name
    self.fields = fields
    self.isMapEntry = isMapEntry
    var entries: [Int: MessageDescriptor] = [:]
    for (index, field) in fields.enumerated() where field.type.label == .map {
      let entry = [Field("key", 1, field.type.entry[0]), Field("value", 2, field.type.entry[1])]
      entries[index] = MessageDescriptor("\(name).\(field.name)", entry, isMapEntry: true)
    }
    self.entries = entries

    let layout = FieldLayout.layOut(fields)
    self.layout = .allocate(capacity: layout.count)
    self.layout.initialize(from: layout, count: layout.count)
    required = layout.indices.filter { layout[$0].label == .required }
    hasClosedEnums = layout.contains {
      !$0.isRepeated && fields[$0.position].type.enumType?.descriptor.isClosed == true
    }
    cFields = CTables.fields(layout)
    table = CTables.message(cFields, layout)
    emptyInstance = .allocate(byteCount: table.pointee.sizeof_message, alignment: 16)
    emptyInstance.initializeMemory(as: UInt8.self, repeating: 0, count: table.pointee.sizeof_message)
    emptyInstance.storeBytes(of: table, as: UnsafeMutablePointer<ProtobufCMessageDescriptor>.self)
    // The way back from protobuf-c's table. Unretained: the tables live in this object, which lives for ever.
    table.pointee.reserved1 = Unmanaged.passUnretained(self).toOpaque()
  }

  /// The number of fields.
  var count: Int { fields.count }

  /// The index in `layout` of the field with this number.
  func index(of number: UInt32) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      let candidate = layout[middle].number
      if candidate == number { return middle }
      if candidate < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The descriptor whose table protobuf-c has left in a message.
  static func of(_ message: UnsafeRawPointer) -> MessageDescriptor {
    let table = message.load(as: UnsafePointer<ProtobufCMessageDescriptor>.self)
    // The initialiser above has set it in every table there is.
    return Unmanaged.fromOpaque(table.pointee.reserved1!).takeUnretainedValue()
  }
}

extension MessageDescriptor {
  /// Held while descriptors are linked; counts how often that was.
  private static let linkings = Locked(0)

  /// Connects the tables of all messages that this one can contain. Cheap after the first time.
  @inline(__always)
  func link() {
    if !isLinked.load(ordering: .acquiring) { linkFirst() }
  }

  @inline(never)
  private func linkFirst() {
    Self.linkings.withLock { linkings in
      linkings += 1
      var visits = Visits()
      _ = connect(&visits)
      spreadClosedEnums(visits.done)
      for descriptor in visits.done { descriptor.isLinked.store(true, ordering: .releasing) }
    }
  }

  /// What a message has, those have too that can contain it. Messages can contain each other, so it takes some rounds.
  private func spreadClosedEnums(_ descriptors: [MessageDescriptor]) {
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for descriptor in descriptors where !descriptor.hasClosedEnums {
        let inner = (0..<descriptor.count).lazy.compactMap { descriptor.layout[$0].message?.takeUnretainedValue() }
        guard inner.contains(where: \.hasClosedEnums) else { continue }
        descriptor.hasClosedEnums = true
        hasChanged = true
      }
    }
  }

  private struct Visits {
    var begun: Set<ObjectIdentifier> = []
    var ended: Set<ObjectIdentifier> = []
    var done: [MessageDescriptor] = []
  }

  /// Depth first; returns how deep messages can be nested inside this one. Who meets a message that has begun and not
  /// ended is part of a cycle.
  private func connect(_ visits: inout Visits) -> Int {
    let identity = ObjectIdentifier(self)
    if isLinked.load(ordering: .relaxed) || visits.ended.contains(identity) { return greatestDepth }
    guard visits.begun.insert(identity).inserted else { return Int.max }
    var depth = 0
    for index in 0..<count where layout[index].kind == .message {
      let position = layout[index].position
      // A message field has a type, a map field an entry: their factories set them.
      let inner = entries[position] ?? fields[position].type.messageType!.descriptor
      cFields[index].descriptor = UnsafeRawPointer(inner.table)
      layout[index].message = Unmanaged.passUnretained(inner)
      let innerDepth = inner.connect(&visits)
      depth = max(depth, innerDepth == Int.max ? Int.max : innerDepth + 1)
    }
    greatestDepth = depth
    visits.ended.insert(identity)
    visits.done.append(self)
    return depth
  }
}
