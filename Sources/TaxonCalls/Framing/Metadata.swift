// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// What travels beside the messages of a call: names with values, in order, a name may come more than once.
///
/// ```swift
/// let options = CallOptions(metadata: ["authorization": "Bearer \(token)", "x-tenant": tenant, "trace-bin": bytes])
/// ```
///
/// Names are lower case ASCII. A name that ends in `-bin` has bytes for values, every other has text of printable
/// ASCII (gRPC over HTTP/2, "Custom-Metadata"). Names that belong to HTTP/2 or gRPC (`:path`, `content-type`, `te`,
/// `grpc-…`) cannot be set: `add` leaves them out and says so.
public struct Metadata: Sendable, Hashable {
  /// A name with one of its values.
  public struct Entry: Sendable, Hashable {
    /// A value: text or, under a name that ends in `-bin`, bytes.
    public enum Value: Sendable, Hashable {
      /// Printable ASCII, with no white space at either end.
      case text(String)
      /// Any bytes.
      case bytes([UInt8])
    }

    /// In lower case.
    public let name: String
    /// The value.
    public let value: Value
  }

  /// All names and values, in the order in which they were added or came.
  public private(set) var entries: [Entry]

  /// Metadata without entries.
  public init() { entries = [] }

  /// What came: the names and values are as they were sent.
  init(entries: [Entry]) { self.entries = entries }

  /// True when there are no entries.
  public var isEmpty: Bool { entries.isEmpty }

  /// Adds a value and keeps those there are.
  ///
  /// - Returns: False when the name or the value may not travel as metadata; nothing is added then.
  @discardableResult
  public mutating func add(_ name: String, _ value: String) -> Bool {
    let name = name.lowercased()
    guard Self.isAllowed(name), !name.hasSuffix("-bin"), Self.isText(value) else { return false }
    entries.append(Entry(name: name, value: .text(value)))
    return true
  }

  /// Adds bytes under a name that ends in `-bin` and keeps the values there are.
  ///
  /// - Returns: False when the name may not travel as metadata or does not end in `-bin`; nothing is added then.
  @discardableResult
  public mutating func add(_ name: String, bytes: [UInt8]) -> Bool {
    let name = name.lowercased()
    guard Self.isAllowed(name), name.hasSuffix("-bin") else { return false }
    entries.append(Entry(name: name, value: .bytes(bytes)))
    return true
  }

  /// The entries of one, and behind them those of the other.
  static func + (left: Metadata, right: Metadata) -> Metadata {
    right.isEmpty ? left : Metadata(entries: left.entries + right.entries)
  }

  /// Removes every value of a name.
  public mutating func remove(_ name: String) {
    let name = name.lowercased()
    entries.removeAll { $0.name == name }
  }

  /// The first text under a name; setting it replaces every value of the name, nil removes them.
  public subscript(_ name: String) -> String? {
    get { values(name).first }
    set {
      remove(name)
      if let newValue { add(name, newValue) }
    }
  }

  /// Every text under a name, in order.
  public func values(_ name: String) -> [String] {
    let name = name.lowercased()
    return entries.compactMap { entry in
      if entry.name == name, case .text(let text) = entry.value { text } else { nil }
    }
  }

  /// Every value under a name that ends in `-bin`, in order.
  public func bytes(_ name: String) -> [[UInt8]] {
    let name = name.lowercased()
    return entries.compactMap { entry in
      if entry.name == name, case .bytes(let bytes) = entry.value { bytes } else { nil }
    }
  }

  /// Adds what came in a header. Several `-bin` values may come in one header, with commas between them. A `-bin` value
  /// that is not base64 is left out: it stands for no bytes.
  mutating func receive(name: String, value: UnsafeBufferPointer<UInt8>, cache: HeaderCache) {
    if entries.isEmpty { entries.reserveCapacity(4) }
    guard name.hasSuffix("-bin") else {
      entries.append(
        Entry(name: name, value: .text(cache.string(UnsafeBufferPointer(rebasing: Self.trim(value))))))
      return
    }
    for part in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let text = part.drop { $0 == UInt8(ascii: " ") }
      if let bytes = Base64.decode(UnsafeBufferPointer(rebasing: text)) {
        entries.append(Entry(name: name, value: .bytes(bytes)))
      }
    }
  }

  /// The value without spaces and tabs at its ends, which do not belong to it (RFC 9110 §5.5).
  private static func trim(_ value: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>.SubSequence {
    var rest = value[...]
    while let byte = rest.first, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { rest.removeFirst() }
    while let byte = rest.last, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { rest.removeLast() }
    return rest
  }

  /// The entries that may be sent: what came from elsewhere may have names and values that only its sender could use.
  var sendable: [Entry] {
    entries.filter { entry in
      guard Self.isAllowed(entry.name) else { return false }
      if case .text(let text) = entry.value { return Self.isText(text) }
      return true
    }
  }

  private static let reserved: Set<String> = [
    "te", "content-type", "content-length", "user-agent", "connection", "proxy-connection", "host", "transfer-encoding",
    "keep-alive", "upgrade", "trailer", "http2-settings",
  ]

  private static func isAllowed(_ name: String) -> Bool {
    guard !name.isEmpty, !name.hasPrefix("grpc-"), !Self.reserved.contains(name) else { return false }
    return name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
      default: false
      }
    }
  }

  private static func isText(_ value: String) -> Bool {
    value.utf8.allSatisfy { $0 >= 0x20 && $0 <= 0x7e } && value.first != " " && value.last != " "
  }
}

/// What a literal of metadata has behind a name: a `String`, or `[UInt8]` behind a name that ends in `-bin`.
public protocol MetadataValue {
  /// The value as metadata has it.
  var metadataValue: Metadata.Entry.Value { get }
}

extension String: MetadataValue {
  /// A text.
  public var metadataValue: Metadata.Entry.Value { .text(self) }
}

extension Substring: MetadataValue {
  /// A text.
  public var metadataValue: Metadata.Entry.Value { .text(String(self)) }
}

extension [UInt8]: MetadataValue {
  /// Bytes.
  public var metadataValue: Metadata.Entry.Value { .bytes(self) }
}

extension Metadata.Entry.Value: MetadataValue {
  /// The value of an entry, as it is.
  public var metadataValue: Metadata.Entry.Value { self }
}

extension Metadata: ExpressibleByDictionaryLiteral {
  /// Metadata with the entries; what may not travel is left out, as with `add`.
  public init(dictionaryLiteral elements: (String, any MetadataValue)...) {
    self.init()
    for (name, value) in elements {
      switch value.metadataValue {
      case .text(let text): add(name, text)
      case .bytes(let bytes): add(name, bytes: bytes)
      }
    }
  }
}

extension Metadata: CustomStringConvertible {
  /// The entries as `name: value`, bytes by their number alone.
  public var description: String {
    entries.map { entry in
      switch entry.value {
      case .text(let text): "\(entry.name): \(text)"
      case .bytes(let bytes): "\(entry.name): \(bytes.count) bytes"
      }
    }.joined(separator: ", ")
  }
}

extension HeaderBlock.Field {
  /// The fields that carry metadata.
  package static func fields(of metadata: Metadata) -> [HeaderBlock.Field] {
    if metadata.isEmpty { return [] }
    return metadata.sendable.map { entry in
      switch entry.value {
      case .text(let text): HeaderBlock.Field(entry.name, text, isIndexed: false)
      case .bytes(let bytes): HeaderBlock.Field(entry.name, Base64.encode(bytes, isPadded: false), isIndexed: false)
      }
    }
  }
}

/// What came beside an error.
private struct AnswerMetadata: Sendable {
  let initial: Metadata
  let trailing: Metadata
}

extension TaxonomyError {
  /// The metadata of the head of the answer, when the error is the outcome of a call of this process; empty when there was
  /// none. Stays in this process.
  public var initialMetadata: Metadata { (context.answer as? AnswerMetadata)?.initial ?? Metadata() }

  /// The metadata that came with the error, in the trailers of the answer, when it is the outcome of a call of this process;
  /// empty when there was none. Stays in this process.
  public var trailingMetadata: Metadata { (context.answer as? AnswerMetadata)?.trailing ?? Metadata() }

  /// A copy that knows what came beside it.
  package func with(initial: Metadata, trailing: Metadata) -> Self {
    guard !initial.isEmpty || !trailing.isEmpty else { return self }
    var copy = self
    copy.context.answer = AnswerMetadata(initial: initial, trailing: trailing)
    return copy
  }
}
