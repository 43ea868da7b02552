// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The languages that a request asks for (RFC 9110 §12.5.4).
struct LanguageRanges {
  /// In lower case, the most wanted first, without "*" and what is not wanted at all.
  private var wanted: [String] = []
  /// What has the weight 0.
  private var refused: Set<String> = []
  /// Bytes of the field that are read: browsers send some fifty.
  static let maxBytes = 1024
  /// Ranges that are read.
  static let maxRanges = 32

  /// Reads a field's value: ranges with weights. Elements that are no language ranges, weights that are none, and what is
  /// beyond the bounds are passed over.
  init(_ field: String) {
    let isLong = field.utf8.count > Self.maxBytes
    var elements = AcceptHeader(isLong ? String(decoding: field.utf8.prefix(Self.maxBytes), as: UTF8.self) : field)
    var ranges: [(range: String, weight: Int)] = []
    while ranges.count < Self.maxRanges, let (range, weight) = elements.next() {
      guard Self.isRange(range) else { continue }
      ranges.append((String(decoding: range, as: UTF8.self).lowercased(), weight))
    }
    // A lookup goes by priority; of equals the first is preferred, as browsers mean it.
    let sorted = ranges.enumerated().sorted { ($1.element.weight, $0.offset) < ($0.element.weight, $1.offset) }
    wanted = sorted.map(\.element).filter { $0.weight > 0 && $0.range != "*" }.map(\.range)
    refused = Set(ranges.filter { $0.weight == 0 }.map(\.range))
  }

  /// The first range in order that fits a message, cut from its end until it does (RFC 4647 §3.4, lookup). Nil where none
  /// fits, and where that one is English, in which every error has its message. "*" asks for none in particular.
  func choose(_ messages: [Google_Rpc_LocalizedMessage]) -> Google_Rpc_LocalizedMessage? {
    guard !messages.isEmpty else { return nil }
    for range in wanted {
      var range = range[...]
      while true {
        if !refused.contains(String(range)) {
          if let message = messages.first(where: { $0.locale.lowercased() == range }) { return message }
          if range == "en" { return nil }
        }
        guard let dash = range.lastIndex(of: "-") else { break }
        range = range[..<dash]
        // A single letter or digit begins an extension, and means nothing without it.
        if let last = range.lastIndex(of: "-"), range[last...].utf8.count == 2 { range = range[..<last] }
      }
    }
    return nil
  }

  /// A basic language range (RFC 4647 §2.1): letters, then letters and digits, 1 to 8 in each part; or "*".
  private static func isRange(_ text: Substring.UTF8View) -> Bool {
    if text.elementsEqual("*".utf8) { return true }
    let parts = text.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.allSatisfy({ (1...8).contains($0.count) }) else { return false }
    return parts.enumerated().allSatisfy { index, part in
      part.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
        default: false
        }
      }
    }
  }
}
