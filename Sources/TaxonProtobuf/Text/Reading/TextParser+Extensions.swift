// SPDX-License-Identifier: Apache-2.0

extension TextParser {
  /// An extension of a message that is being read: a repeated one may come in several places.
  struct OpenExtension {
    let field: any LowerableExtension
    /// A message of one field.
    let base: UnsafeMutableRawPointer
    let seen: UnsafeMutablePointer<UInt64>
  }

  /// A field whose name is in brackets: an extension, or an expanded Any.
  mutating func bracketed(
    of base: UnsafeMutableRawPointer, _ table: UnsafePointer<TextTable>, _ seen: UnsafeMutablePointer<UInt64>,
    _ extensions: inout [OpenExtension]
  ) throws(TextFault) {
    let place = cursor
    let name = try bracketedName()
    if name.utf8.contains(UInt8(ascii: "/")) {
      guard table.pointee.json.pointee.form == .any else {
        return try skip(.unknownField("[\(name)]"), at: place, in: table)
      }
      guard TypeURL.isValid(name.utf8) else { throw fail(.invalidTypeURL(name), at: place, in: table) }
      return try expandedAny(name, base, table, seen, place)
    }
    let registered = options.registry.extensions(of: table.pointee.name)
    guard let field = registered.first(where: { $0.name == name }) else {
      return try skip(.unknownExtension(name), at: place, in: table)
    }
    let inside: OpenExtension
    let descriptor = field.descriptor
    if let open = extensions.first(where: { $0.field.number == field.number }) {
      inside = open
    } else {
      descriptor.link()
      let seen = arena.allocate(8).assumingMemoryBound(to: UInt64.self)
      seen.pointee = 0
      inside = OpenExtension(field: field, base: descriptor.json.pointee.makeInstance(in: arena), seen: seen)
      extensions.append(inside)
    }
    try member(0, of: inside.base, descriptor.text, inside.seen, place)
  }

  /// Skips the value of a field that is not known, or throws.
  private mutating func skip(
    _ reason: TextFormatDecodingError.Reason, at place: UnsafePointer<UInt8>, in table: UnsafePointer<TextTable>
  ) throws(TextFault) {
    guard options.ignoresUnknownFields else { throw fail(reason, at: place, in: table) }
    try skipValue()
  }

  /// What stands between brackets, without the white space and the comments in it.
  mutating func bracketedName() throws(TextFault) -> String {
    let place = cursor
    try expect(UInt8(ascii: "["))
    var name: [UInt8] = []
    while peek() != UInt8(ascii: "]") {
      guard cursor < end else { throw fail(.unexpectedEnd, at: end) }
      guard TextCharacter.isURL(cursor.pointee) else { throw fail(.expected("']'"), at: cursor) }
      name.append(cursor.pointee)
      cursor += 1
    }
    cursor += 1
    guard name.contains(UInt8(ascii: "/")) || TypeURL.isTypeName(name[...]) else {
      throw fail(.expected("the name of an extension"), at: place)
    }
    return String(decoding: name, as: UTF8.self)
  }

  /// Puts an extension that is complete with the unknown fields of its message.
  mutating func close(
    _ field: OpenExtension, in base: UnsafeMutableRawPointer, _ table: UnsafePointer<TextTable>
  ) throws(TextFault) {
    do throws(MessageArena.TooLarge) {
      if let bytes = try arena.packed(field.base) { arena.addUnknown(bytes, to: base) }
    } catch {
      throw fail(.tooLarge, at: cursor, in: table)
    }
  }

  /// A `google.protobuf.Any` by what is in it: read as the message that it is, and packed.
  private mutating func expandedAny(
    _ url: String, _ base: UnsafeMutableRawPointer, _ table: UnsafePointer<TextTable>,
    _ seen: UnsafeMutablePointer<UInt64>, _ place: UnsafePointer<UInt8>
  ) throws(TextFault) {
    // Bits of type_url and value: what is expanded has both.
    guard seen.pointee == 0 else { throw fail(.duplicateField("[\(url)]"), at: place, in: table) }
    seen.pointee = 3
    let name = Google_Protobuf_Any.messageName(ofURL: url)
    guard let content = options.registry.content(named: name) else {
      throw fail(.unregisteredType(name), at: place, in: table)
    }
    content.descriptor.link()
    let inside = content.descriptor.text
    let members = table.pointee.json.pointee.members
    do throws(TextFault) {
      _ = skip(UInt8(ascii: ":"))
      let message = try nested(inside)
      do throws(MessageArena.TooLarge) {
        if let bytes = try arena.packed(message) { store(bytes, to: base + members[1].offset) }
      } catch {
        throw fail(.tooLarge, at: place)
      }
    } catch {
      note(expanded: inside, url)
      throw error
    }
    url.withContiguousUTF8 { url in
      let slot = base + members[0].offset
      arena.store(url, to: slot)
      slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
    }
  }

  private func store(_ bytes: UnsafeBufferPointer<UInt8>, to slot: UnsafeMutableRawPointer) {
    slot.storeBytes(of: bytes.count, as: Int.self)
    slot.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafePointer<UInt8>?.self)
    slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
  }
}

/// The names that stand in brackets.
enum TypeURL {
  /// Whether a URL may stand in brackets: characters of a URL, whose percent signs have two hexadecimal digits behind
  /// them, and the name of a type behind the last slash.
  static func isValid(_ url: some Collection<UInt8>) -> Bool {
    let url = Array(url)
    guard let slash = url.lastIndex(of: UInt8(ascii: "/")), slash > 0, url[0] != UInt8(ascii: "/"),
      url.allSatisfy(TextCharacter.isURL), isTypeName(url[(slash + 1)...])
    else { return false }
    return url[..<slash].indices.allSatisfy { index in
      guard url[index] == UInt8(ascii: "%") else { return true }
      return index + 2 < slash && TextCharacter.hexDigit(url[index + 1]) != nil
        && TextCharacter.hexDigit(url[index + 2]) != nil
    }
  }

  /// Whether these are identifiers with points between them.
  static func isTypeName(_ name: ArraySlice<UInt8>) -> Bool {
    name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
      part.first.map(TextCharacter.beginsName) == true && part.allSatisfy(TextCharacter.isName)
    }
  }
}
