// SPDX-License-Identifier: Apache-2.0
import Foundation
import Kit
import PeerSide
import TaxonSide

// protobuf-bench times ROUNDS MILLISECONDS: what each operation costs, the sides taking turns; a JSON object a line.
// protobuf-bench allocations: how many allocations each makes; count-allocations.so has to be loaded.
// protobuf-bench repeat ROW KIND taxon|peer TIMES: one of them, for a profiler.

/// CPU time of the thread, in nanoseconds.
func cpuTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

struct Wrong: Error {
  var what: String
}

/// Each side reads what the other has written, and makes of it what it makes of its own.
func check(_ row: String, _ taxon: Subject, _ peer: Subject) throws {
  guard taxon.binary.count == peer.binary.count else { throw Wrong(what: "\(row): the binary formats differ") }
  for (reader, other) in [(taxon, peer), (peer, taxon)] {
    let (binary, fromJSON) = try reader.reread(other.binary, other.json)
    // The entries of a map come in any order.
    guard binary.sorted() == reader.binary.sorted(), fromJSON.sorted() == reader.binary.sorted() else {
      throw Wrong(what: "\(row): one side reads the other wrongly")
    }
  }
}

/// Times of one operation, in nanoseconds.
func nanoseconds(_ operation: Benchmark, _ times: Int) throws -> Double {
  let start = cpuTime()
  let sum = try operation.run(times)
  precondition(sum > 0)
  return (cpuTime() - start) / Double(times)
}

/// An operation of both sides, and what it took in each round.
struct Measured {
  private let sides: [Benchmark]
  /// How many fill the time.
  private let times: [Int]
  private var rounds: [[Double]] = [[], []]

  init(_ taxon: Benchmark, _ peer: Benchmark, milliseconds: Double) throws {
    sides = [taxon, peer]
    // Warms up, too.
    times = try sides.map { max(1, Int(milliseconds * 1e6 / (try nanoseconds($0, 20)))) }
  }

  mutating func measure() throws {
    for side in 0...1 { rounds[side].append(try nanoseconds(sides[side], times[side])) }
  }

  var line: String {
    #"{"row": "\#(sides[0].row)", "kind": "\#(sides[0].kind)", "taxon": \#(rounds[0]), "peer": \#(rounds[1])}"#
  }
}

typealias Counter = @convention(c) () -> UInt64

/// Allocations of one operation.
func allocations(_ operation: Benchmark, _ count: Counter) throws -> Double {
  // What is made once is made now.
  _ = try operation.run(20)
  let start = count()
  _ = try operation.run(100)
  return Double(count() - start) / 100
}

func run(_ arguments: [String]) throws {
  let taxon = try taxonSubjects()
  let peer = try peerSubjects()
  let pairs = try Payloads.rows.flatMap { row -> [(Benchmark, Benchmark)] in
    guard let taxon = taxon[row], let peer = peer[row] else { throw Wrong(what: "\(row): only one side has it") }
    try check(row, taxon, peer)
    return zip(taxon.operations, peer.operations).map { ($0, $1) }
  }
  switch (arguments.first, arguments.dropFirst().compactMap(Double.init)) {
  case ("times", let numbers) where numbers.count == 2:
    var measured = try pairs.map { try Measured($0, $1, milliseconds: numbers[1]) }
    // Round by round, so that what disturbs the machine for a while disturbs one round of a row and not the row.
    for _ in 0..<Int(numbers[0]) {
      for index in measured.indices { try measured[index].measure() }
    }
    for one in measured { print(one.line) }
  case ("allocations", []):
    guard let symbol = dlsym(nil, "counted_allocations") else { throw Wrong(what: "nothing counts allocations") }
    let count = unsafeBitCast(symbol, to: Counter.self)
    for (taxon, peer) in pairs {
      let counts = [try allocations(taxon, count), try allocations(peer, count)]
      print(#"{"row": "\#(taxon.row)", "kind": "\#(taxon.kind)", "taxon": \#(counts[0]), "peer": \#(counts[1])}"#)
    }
  case ("repeat", let numbers) where arguments.count == 5 && numbers.count == 1:
    let side = arguments[3] == "peer" ? pairs.map(\.1) : pairs.map(\.0)
    guard let one = side.first(where: { $0.row == arguments[1] && $0.kind.rawValue == arguments[2] }) else {
      throw Wrong(what: "there is no \(arguments[2]) of \(arguments[1])")
    }
    _ = try one.run(Int(numbers[0]))
  default:
    throw Wrong(
      what: "usage: protobuf-bench times ROUNDS MILLISECONDS | allocations | repeat ROW KIND taxon|peer TIMES")
  }
}

do {
  try run(Array(CommandLine.arguments.dropFirst()))
} catch {
  print("protobuf-bench: \(error)")
  exit(1)
}
