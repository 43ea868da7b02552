// SPDX-License-Identifier: Apache-2.0

extension JSONPrinter {
  /// The extensions that are in a message and in the registry, in the order of their numbers. What else is among the
  /// unknown fields has no JSON form. Returns whether nothing has been printed.
  mutating func extensions(
    _ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>, isFirst: Bool
  ) throws(JSONFault) -> Bool {
    let registered = options.registry.extensions(of: table.pointee.name)
    guard !registered.isEmpty else { return isFirst }
    let unknown = UnknownFields(lifting: base)
    var isFirst = isFirst
    for field in registered {
      guard let bytes = unknown.fields(field.number) else { continue }
      let inside: UnsafeRawPointer
      do throws(MessageDecodingError) {
        inside = try field.relower(bytes, arena)
      } catch {
        throw fail(.undecodableExtension(field.name, error), table)
      }
      isFirst = try members(inside, field.descriptor.json, isFirst: isFirst)
    }
    return isFirst
  }
}
