// SPDX-License-Identifier: Apache-2.0
import Foundation
import Kit
import PeerMessages
import SwiftProtobuf

/// What SwiftProtobuf makes of each row.
package func peerSubjects() throws -> [String: Subject] {
  // Or else it cannot print the details.
  Google_Protobuf_Any.register(messageType: Google_Rpc_ErrorInfo.self)
  Google_Protobuf_Any.register(messageType: Google_Rpc_RetryInfo.self)
  Google_Protobuf_Any.register(messageType: Google_Rpc_BadRequest.self)
  let rows = try Payloads.rows.map { row -> (String, Subject) in
    switch row {
    case "one string": (row, try subject(row, Taxon_Bench_V1_Note.with { $0.text = Payloads.note }))
    case "nine fields": (row, try subject(row, job))
    case "map of 100": (row, try subject(row, Taxon_Bench_V1_Labels.with { $0.labels = Payloads.labels }))
    case "64 KiB of bytes": (row, try subject(row, Taxon_Bench_V1_Blob.with { $0.data = Data(Payloads.blob) }))
    case "10,000 packed ints": (row, try subject(row, Taxon_Bench_V1_Samples.with { $0.values = Payloads.samples }))
    case "deep tree": (row, try subject(row, tree(Payloads.depth)))
    case "status with three details": (row, try subject(row, status()))
    case "3 of 40 optional fields": (row, try subject(row, sparse))
    case "1,000 small messages": (row, try subject(row, page))
    case "Struct of 100 entries": (row, try subject(row, entries))
    default: fatalError("there is no row \(row)")  // The rows are a constant.
    }
  }
  return Dictionary(uniqueKeysWithValues: rows)
}

private func subject<M: Message>(_ row: String, _ made: M) throws -> Subject {
  let binary: [UInt8] = try made.serializedBytes()
  let inputs = Placement(binary)
  // As it comes to those who pass it on: what is inside an Any is bytes then, on either side.
  let message = try M(serializedBytes: binary)
  let json: [UInt8] = try message.jsonUTF8Bytes()
  return Subject(
    operations: [
      Benchmark(row, .decode) { times in
        var sum = 0
        for time in 0..<times { sum &+= withExtendedLifetime(try M(serializedBytes: inputs[time])) { _ in 1 } }
        return sum
      },
      Benchmark(row, .encode) { times in
        var sum = 0
        for _ in 0..<times { sum &+= (try message.serializedBytes() as [UInt8]).count }
        return sum
      },
      Benchmark(row, .jsonDecode) { times in
        var sum = 0
        for _ in 0..<times { sum &+= withExtendedLifetime(try M(jsonUTF8Bytes: json)) { _ in 1 } }
        return sum
      },
      Benchmark(row, .jsonEncode) { times in
        var sum = 0
        for _ in 0..<times { sum &+= (try message.jsonUTF8Bytes() as [UInt8]).count }
        return sum
      },
    ],
    binary: binary, json: json,
    reread: { binary, json in
      (
        try M(serializedBytes: binary).serializedBytes(),
        try M(jsonUTF8Bytes: json).serializedBytes()
      )
    })
}

private var job: Taxon_Bench_V1_Job {
  .with {
    $0.id = Payloads.id
    $0.createdMs = Payloads.createdMs
    $0.state = .running
    $0.tags = Payloads.tags
    $0.owner = .with {
      $0.name = Payloads.owner.name
      $0.email = Payloads.owner.email
    }
    $0.steps = Payloads.steps.map { step in
      .with {
        $0.title = step.title
        $0.milliseconds = step.milliseconds
      }
    }
    $0.scores = Payloads.scores
    $0.isUrgent = true
    $0.progress = Payloads.progress
  }
}

private func tree(_ levels: Int) -> Taxon_Bench_V1_Node {
  let leaf = Taxon_Bench_V1_Node.with {
    $0.name = "leaf \(levels)"
    $0.weight = 1
  }
  return .with {
    $0.name = "level \(levels)"
    $0.weight = Int32(levels)
    $0.children = levels == 1 ? [leaf] : [tree(levels - 1), leaf]
  }
}

private func status() throws -> Google_Rpc_Status {
  try .with {
    $0.code = 9
    $0.message = Payloads.message
    $0.details = [
      try Google_Protobuf_Any(
        message: Google_Rpc_ErrorInfo.with {
          $0.reason = Payloads.reason
          $0.domain = Payloads.domain
          $0.metadata = Payloads.metadata
        }),
      try Google_Protobuf_Any(
        message: Google_Rpc_RetryInfo.with { $0.retryDelay = .with { $0.seconds = Payloads.retrySeconds } }),
      try Google_Protobuf_Any(
        message: Google_Rpc_BadRequest.with {
          $0.fieldViolations = Payloads.violations.map { violation in
            .with {
              $0.field = violation.field
              $0.description_p = violation.description
            }
          }
        }),
    ]
  }
}

private var sparse: Taxon_Bench_V1_Sparse {
  .with {
    $0.string1 = Payloads.sparse.text
    $0.int643 = Payloads.sparse.count
    $0.double7 = Payloads.sparse.ratio
  }
}

private var page: Taxon_Bench_V1_Page {
  .with {
    $0.items = Payloads.items.map { item in
      .with {
        $0.id = item.id
        $0.name = item.name
        $0.isActive = item.isActive
      }
    }
  }
}

private var entries: Google_Protobuf_Struct {
  .with {
    for (index, name) in Payloads.entries.enumerated() {
      let kind: Google_Protobuf_Value.OneOf_Kind =
        switch index % 3 {
        case 0: .stringValue("the value of \(name)")
        case 1: .numberValue(Double(index))
        default: .boolValue(true)
        }
      $0.fields[name] = .with { $0.kind = kind }
    }
  }
}
