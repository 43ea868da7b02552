// SPDX-License-Identifier: Apache-2.0
import Kit
import Taxon
import TaxonMessages

/// What Taxon makes of each row.
package func taxonSubjects() throws -> [String: Subject] {
  let rows = try Payloads.rows.map { row -> (String, Subject) in
    switch row {
    case "one string": (row, try subject(row, Taxon_Bench_V1_Note(text: Payloads.note)))
    case "nine fields": (row, try subject(row, job))
    case "map of 100": (row, try subject(row, Taxon_Bench_V1_Labels(labels: Payloads.labels)))
    case "64 KiB of bytes": (row, try subject(row, Taxon_Bench_V1_Blob(data: Payloads.blob)))
    case "10,000 packed ints": (row, try subject(row, Taxon_Bench_V1_Samples(values: Payloads.samples)))
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
  let binary = try made.encoded()
  let inputs = Placement(binary)
  // As it comes to those who pass it on: what is inside an Any is bytes then, on either side.
  let message = try M(decoding: binary)
  // The details of a status are known by it.
  let registry = TypeRegistry([Google_Rpc_ErrorInfo.self, Google_Rpc_RetryInfo.self, Google_Rpc_BadRequest.self])
  let decoding = JSONDecodingOptions(registry: registry)
  let encoding = JSONEncodingOptions(registry: registry)
  let json = try message.jsonBytes(options: encoding)
  return Subject(
    operations: [
      Benchmark(row, .decode) { times in
        var sum = 0
        for time in 0..<times { sum &+= withExtendedLifetime(try M(decoding: inputs[time])) { _ in 1 } }
        return sum
      },
      Benchmark(row, .encode) { times in
        var sum = 0
        for _ in 0..<times { sum &+= try message.encoded().count }
        return sum
      },
      Benchmark(row, .jsonDecode) { times in
        var sum = 0
        for _ in 0..<times { sum &+= withExtendedLifetime(try M(json: json, options: decoding)) { _ in 1 } }
        return sum
      },
      Benchmark(row, .jsonEncode) { times in
        var sum = 0
        for _ in 0..<times { sum &+= try message.jsonBytes(options: encoding).count }
        return sum
      },
    ],
    binary: binary, json: json,
    reread: { binary, json in
      (try M(decoding: binary).encoded(), try M(json: json, options: decoding).encoded())
    })
}

private var job: Taxon_Bench_V1_Job {
  Taxon_Bench_V1_Job(
    id: Payloads.id, createdMs: Payloads.createdMs, state: .running, tags: Payloads.tags,
    owner: Taxon_Bench_V1_Owner(name: Payloads.owner.name, email: Payloads.owner.email),
    steps: Payloads.steps.map { Taxon_Bench_V1_Step(title: $0.title, milliseconds: $0.milliseconds) },
    scores: Payloads.scores, isUrgent: true, progress: Payloads.progress)
}

private func tree(_ levels: Int) -> Taxon_Bench_V1_Node {
  let leaf = Taxon_Bench_V1_Node(name: "leaf \(levels)", weight: 1)
  return Taxon_Bench_V1_Node(
    name: "level \(levels)", weight: Int32(levels), children: levels == 1 ? [leaf] : [tree(levels - 1), leaf])
}

private func status() throws -> Google_Rpc_Status {
  Google_Rpc_Status(
    code: 9, message: Payloads.message,
    details: [
      try Google_Protobuf_Any(
        packing: Google_Rpc_ErrorInfo(
          reason: Payloads.reason, domain: Payloads.domain, metadata: Payloads.metadata)),
      try Google_Protobuf_Any(
        packing: Google_Rpc_RetryInfo(retryDelay: Google_Protobuf_Duration(seconds: Payloads.retrySeconds))),
      try Google_Protobuf_Any(
        packing: Google_Rpc_BadRequest(
          fieldViolations: Payloads.violations.map {
            Google_Rpc_BadRequest.FieldViolation(field: $0.field, description: $0.description)
          })),
    ])
}

private var sparse: Taxon_Bench_V1_Sparse {
  Taxon_Bench_V1_Sparse(
    string1: Payloads.sparse.text, int643: Payloads.sparse.count, double7: Payloads.sparse.ratio)
}

private var page: Taxon_Bench_V1_Page {
  Taxon_Bench_V1_Page(
    items: Payloads.items.map { Taxon_Bench_V1_Item(id: $0.id, name: $0.name, isActive: $0.isActive) })
}

private var entries: Google_Protobuf_Struct {
  var message = Google_Protobuf_Struct()
  for (index, name) in Payloads.entries.enumerated() {
    let kind: Google_Protobuf_Value.Kind =
      switch index % 3 {
      case 0: .stringValue("the value of \(name)")
      case 1: .numberValue(Double(index))
      default: .boolValue(true)
      }
    message.fields[name] = Google_Protobuf_Value(kind: kind)
  }
  return message
}
