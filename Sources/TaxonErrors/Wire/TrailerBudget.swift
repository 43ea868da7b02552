// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// What an error's trailers take of a peer's limit on header lists.
struct TrailerCost {
  /// What proxies add: Envoy 171 bytes, Apache 172.
  static let proxies = 180
  /// Names and 32 bytes for each of `:status`, `content-type`, `grpc-status`, `grpc-message`, `grpc-status-details-bin`; three
  /// digits of HTTP's status, two of gRPC's, and "application/grpc".
  private static let fixed = 7 + 12 + 11 + 12 + 23 + 5 * 32 + 3 + 2 + 16
  /// `grpc-retry-pushback-ms` and `retry-after`, with ten digits each.
  private static let hints = 22 + 11 + 2 * (32 + 10)

  /// Without message and details.
  let base: Int

  init(hasHint: Bool, reserved: Int) {
    base = Self.fixed + (hasHint ? Self.hints : 0) + reserved
  }

  func bytes(message: String, details: Int) -> Int {
    base + GRPCMessage.encodedCount(message) + (details * 4 + 2) / 3
  }

  /// A message that goes alone, cut to a limit; to the budget, where trailing metadata leaves it no room below the limit.
  func fitting(_ message: String, _ limit: Int, _ budget: Int) -> String {
    if fits(message: message, details: 0, limit) { return message }
    let beginning = StatusWriter.beginning(of: message) { bytes(message: $0, details: 0) <= limit }
    return beginning.isEmpty && limit < budget ? fitting(message, budget, budget) : beginning
  }

  /// Whether they keep a limit; mostly seen without counting what the message takes.
  func fits(message: String, details: Int, _ limit: Int) -> Bool {
    base + message.utf8.count * 3 + (details * 4 + 2) / 3 <= limit
      || bytes(message: message, details: details) <= limit
  }
}

extension StatusWriter {
  /// What is left of a status that was over its limit.
  struct Fitted {
    var message: String
    var details: [UInt8]
    var omitted: [String]
  }

  /// A message longer than this is cut before any of the error's own details goes: it is sent twice.
  private static let longMessage = 1024
  /// A text of ErrorInfo longer than this goes before the error itself does, which has it, too.
  private static let longText = 256

  /// Leaves out what it takes, in this order: what the thrower added, largest first; links to help, and the message in the
  /// caller's language; the end of a long message; ErrorInfo's copies of long fields; the error itself, whose safe fields
  /// are in ErrorInfo; violations, of quotas and preconditions first, each from the end; the request's id and resources;
  /// ErrorInfo's fields, largest first; the thrower's own ErrorInfo, ErrorTraits and RetryInfo, for which the derived ones are sent; the
  /// names of what was left out; the message. Reason, domain, ErrorTraits and RetryInfo stay, unless not even they have room.
  func fit(_ limit: Int, _ cost: TrailerCost, _ payload: Payload) -> Fitted {
    var bytes = ProtobufBytes()
    payload(&bytes)
    var fitting = Fitting(writer: StatusWriter(copying: self), limit: limit, cost: cost, payload: bytes.bytes)
    return fitting.result()
  }

  /// One error being made to fit.
  private struct Fitting: ~Copyable {
    var writer: StatusWriter
    let limit: Int
    let cost: TrailerCost
    let payload: [UInt8]

    private func encoded(_ writer: borrowing StatusWriter) -> ProtobufBytes {
      var bytes = ProtobufBytes()
      writer.write(to: &bytes) { $0.append(payload) }
      return bytes
    }

    /// Bytes, before base64, that are too many.
    private func excess(_ writer: borrowing StatusWriter) -> Int {
      let size = cost.bytes(message: writer.message, details: encoded(writer).count)
      return max(0, (size - limit) * 3 / 4 + (size > limit ? 1 : 0))
    }

    private var isOver: Bool { excess(writer) > 0 }

    mutating func result() -> Fitted {
      leaveOutFurther { !StatusWriter.isEssential($0) }
      leaveOutTexts()
      if isOver, writer.message.utf8.count > StatusWriter.longMessage {
        cutMessage(to: StatusWriter.longMessage)
      }
      leaveOutPayload()
      leaveOutViolations()
      leaveOutNames()
      leaveOutFields { _ in true }
      leaveOutFurther { _ in true }
      leaveOutFields { _ in true }
      if isOver { writer.namesOmitted = false }
      if isOver { cutMessage() }
      guard isOver else { return fitted(encoded(writer).bytes) }
      // Not even what has to stay fits: only the code is sent.
      writer.omit("google.rpc.Status")
      let (cost, limit) = (cost, limit)
      writer.message = StatusWriter.beginning(of: writer.message) { cost.bytes(message: $0, details: 0) <= limit }
      return fitted([])
    }

    private func fitted(_ details: [UInt8]) -> Fitted {
      Fitted(message: writer.message, details: details, omitted: writer.omitted)
    }

    private mutating func leaveOutFurther(_ mayGo: (Google_Protobuf_Any) -> Bool) {
      while case let excess = excess(writer), excess > 0 {
        let bySize = writer.further.indices.filter { mayGo(writer.further[$0]) }.sorted {
          (writer.further[$0].value.count, $1) > (writer.further[$1].value.count, $0)
        }
        guard !bySize.isEmpty else { return }
        var left = excess
        var gone: [Int] = []
        for index in bySize {
          gone.append(index)
          left -= writer.further[index].value.count
          if left <= 0 { break }
        }
        for index in gone.sorted(by: >) {
          if let name = writer.removeFurther(at: index) { writer.omit(name) }
        }
      }
    }

    private mutating func leaveOutPayload() {
      guard isOver, let name = writer.payloadName else { return }
      let whole = StatusWriter(copying: writer)
      leaveOutFields { $0 > StatusWriter.longText }
      guard isOver else { return }
      // That was not enough: the fields stay, and the error itself goes.
      writer = whole
      writer.payloadName = nil
      writer.omit(name)
    }

    private mutating func leaveOutFields(_ mayGo: (_ size: Int) -> Bool) {
      while case let excess = excess(writer), excess > 0 {
        let bySize = writer.fields.filter { mayGo($0.text.utf8.count) }
          .sorted { ($0.text.utf8.count, $0.name) > ($1.text.utf8.count, $1.name) }
        guard !bySize.isEmpty else { return }
        var left = excess
        for field in bySize {
          writer.fields.removeAll { $0.name == field.name }
          writer.omit("metadata.\(field.name)")
          left -= field.name.utf8.count + field.text.utf8.count
          if left <= 0 { break }
        }
      }
    }

    /// Links to help, and the message in another language.
    private mutating func leaveOutTexts() {
      if isOver, !writer.declared.help.isEmpty {
        writer.declared.help = []
        writer.omit(DetailName.help)
      }
      if isOver, writer.localized != nil {
        writer.localized = nil
        writer.omit(DetailName.localizedMessage)
      }
    }

    /// Which request and which resources it was.
    private mutating func leaveOutNames() {
      if isOver, writer.requestID != nil {
        writer.requestID = nil
        writer.omit(DetailName.requestInfo)
      }
      if isOver, !writer.declared.resources.isEmpty {
        writer.declared.resources = []
        writer.omit(DetailName.resourceInfo)
      }
    }

    private mutating func leaveOutViolations() {
      shorten(
        writer.declared.quota, DetailName.quotaFailure + ".violations",
        more: { Google_Rpc_QuotaFailure.Violation(description: "\($0) more violations") },
        set: { $0.declared.quota = $1 })
      shorten(
        writer.declared.preconditions, DetailName.preconditionFailure + ".violations",
        more: { Google_Rpc_PreconditionFailure.Violation(description: "\($0) more violations") },
        set: { $0.declared.preconditions = $1 })
      shorten(
        writer.violations, DetailName.badRequest + ".field_violations",
        more: { Google_Rpc_BadRequest.FieldViolation(field: "", description: "\($0) more violations") },
        set: { $0.violations = $1 })
    }

    /// The most entries of a list that fit, and behind them one that says how many there were on top.
    private mutating func shorten<Entry>(
      _ all: [Entry], _ name: String, more: (Int) -> Entry, set: (inout StatusWriter, [Entry]) -> Void
    ) {
      guard isOver, !all.isEmpty else { return }
      let omitted = writer.omitted
      func leave(_ count: Int) {
        writer.omitted = omitted
        writer.omit(name)
        set(&writer, count == 0 ? [] : all[..<count] + [more(all.count - count)])
      }
      var (low, high) = (0, all.count - 1)
      while low < high {
        let middle = (low + high + 1) / 2
        leave(middle)
        if isOver { high = middle - 1 } else { low = middle }
      }
      leave(low)
    }

    /// Cuts the message to `count` bytes.
    private mutating func cutMessage(to count: Int) {
      writer.omit("message")
      writer.message = StatusWriter.beginning(of: writer.message) { $0.utf8.count <= count }
    }

    /// Cuts the message to what fits.
    private mutating func cutMessage() {
      writer.omit("message")
      let whole = writer.message
      writer.message = StatusWriter.beginning(of: whole) { message in
        writer.message = message
        return !isOver
      }
    }
  }

  /// The longest beginning of a text, with an ellipsis, that is fine; empty where none is.
  static func beginning(of text: String, _ isFine: (String) -> Bool) -> String {
    let scalars = Array(text.unicodeScalars)
    func beginning(_ count: Int) -> String {
      guard count > 0 else { return "" }
      var text = String()
      text.unicodeScalars.append(contentsOf: scalars[..<count])
      return text + "..."
    }
    var (low, high) = (0, scalars.count)
    while low < high {
      let middle = (low + high + 1) / 2
      if isFine(beginning(middle)) { low = middle } else { high = middle - 1 }
    }
    return beginning(low)
  }

  /// Notes, once, what is left out.
  private mutating func omit(_ name: String) {
    if !omitted.contains(name) { omitted.append(name) }
  }
}
