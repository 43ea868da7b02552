// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

extension StatusWriter {
  /// What is left of a status that was over its budget.
  struct Fitted {
    var message: String
    var details: [UInt8]
    var dropped: [String]
  }

  /// Leaves out what it takes, least important first.
  func fit(_ budget: Int, _ payload: Payload) -> Fitted {
    var writer = self
    var dropped: [String] = []

    var bytes = core()
    var marks = writeMarked(to: &bytes, payload)
    while writer.cost(bytes) > budget, let last = marks.popLast() {
      bytes.cut(to: last.start)
      dropped.append(last.name)
    }
    guard writer.cost(bytes) > budget else {
      return Fitted(message: message, details: bytes.bytes, dropped: dropped)
    }

    // From here on there are only the status and ErrorInfo.
    var entries = fields.map { (name: $0.name, size: $0.name.utf8.count + $0.text.utf8.count) }
    entries.sort { ($0.size, $0.name) < ($1.size, $1.name) }
    while writer.cost(writer.core()) > budget, !entries.isEmpty {
      var excess = (writer.cost(writer.core()) - budget) * 3 / 4
      repeat {
        let largest = entries.removeLast()
        writer.fields.removeAll { $0.name == largest.name }
        dropped.append("metadata.\(largest.name)")
        excess -= largest.size
      } while excess > 0 && !entries.isEmpty
    }
    if writer.cost(writer.core()) > budget {
      writer.shortenMessage(to: budget)
      dropped.append("message")
    }
    bytes = writer.core()
    if writer.cost(bytes) > budget {
      bytes = ProtobufBytes()
      writer.writeStatus(to: &bytes)
      dropped.append(TypeURL.errorInfo)
    }
    if writer.cost(bytes) > budget {
      bytes = ProtobufBytes()
      dropped.append("google.rpc.Status")
    }
    return Fitted(message: writer.message, details: bytes.bytes, dropped: dropped)
  }

  private struct Mark {
    var name: String
    var start: Int
  }

  /// The details after ErrorInfo, with their beginnings.
  private func writeMarked(to bytes: inout ProtobufBytes, _ payload: Payload) -> [Mark] {
    var marks: [Mark] = []
    func mark(_ name: String?, _ body: (inout ProtobufBytes) -> Void) {
      let start = bytes.count
      body(&bytes)
      if let name, bytes.count > start { marks.append(Mark(name: name, start: start)) }
    }
    mark(payloadName) { payload(&$0) }
    mark(TypeURL.errorTraits) { writeTraits(to: &$0) }
    mark(TypeURL.retryInfo) { writeRetryInfo(to: &$0) }
    mark(TypeURL.badRequest) { writeBadRequest(to: &$0) }
    for detail in furtherDetails {
      mark(typeName(ofURL: detail.typeURL)) { write(detail, to: &$0) }
    }
    return marks
  }

  private func core() -> ProtobufBytes {
    var bytes = ProtobufBytes()
    writeStatus(to: &bytes)
    writeInfo(to: &bytes)
    return bytes
  }

  private func cost(_ bytes: borrowing ProtobufBytes) -> Int {
    TrailerCost(message: message).bytes(details: bytes.count)
  }

  /// The longest beginning of the message that fits, with an ellipsis; empty where none does.
  private mutating func shortenMessage(to budget: Int) {
    let scalars = Array(message.unicodeScalars)
    var low = 0
    var high = scalars.count
    func beginning(_ count: Int) -> String {
      guard count > 0 else { return "" }
      var text = String()
      text.unicodeScalars.append(contentsOf: scalars[..<count])
      return text + "..."
    }
    while low < high {
      let middle = (low + high + 1) / 2
      message = beginning(middle)
      if cost(core()) <= budget { low = middle } else { high = middle - 1 }
    }
    message = beginning(low)
  }
}
