// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonCalls
import TaxonFixtures
import Testing

/// GOAWAYs that cross calls on a connection that is in use.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct GoAwayTests {
  /// A server that answers its first call, then lets `count` more come, names the first of them as the last that it takes,
  /// and says nothing more on that connection; calls on others are answered.
  private func leaving(_ count: Int, code: UInt8, answersLast: Bool) async throws -> WireServer {
    let held = Locked<[Int]>([])
    return try await WireServer { stream, event in
      guard event == .end else { return }
      let isLeft = stream.number > 1 && stream.number <= count + 1
      if !isLeft || stream.number == 2 && answersLast {
        stream.message("done")
        stream.end()
      }
      if isLeft {
        let isLast = held.withLock { held in
          held.append(stream.number)
          return held.count == count
        }
        // Behind the answer, whichever of them ends last.
        if isLast { stream.goAway(last: 3, code: code) }
      }
    }
  }

  private func run(_ server: WireServer, calls count: Int, _ policy: CallPolicy) async throws -> ([String], Duration) {
    let channel = try watched(Channel("127.0.0.1:\(server.port)", configuration: quietly(policy)))
    #expect(try await channel.text("warm") == "done")
    let start = ContinuousClock.now
    let outcomes = await withTaskGroup(of: String.self) { group in
      for number in 0..<count {
        group.addTask {
          do throws(ConnectionError) {
            return try await channel.text("\(number)", options: CallOptions(timeout: .seconds(20)))
          } catch {
            return error.code
          }
        }
      }
      return await group.reduce(into: [String]()) { $0.append($1) }
    }
    channel.shutDown()
    await server.close()
    return (outcomes.sorted(), ContinuousClock.now - start)
  }

  @Test(arguments: [UInt8(0), 11])
  func callsAboveTheLastStreamGoToANewConnectionAtOnce(code: UInt8) async throws {
    let server = try await leaving(6, code: code, answersLast: true)
    let (outcomes, time) = try await run(server, calls: 6, .none)
    #expect(outcomes == [String](repeating: "done", count: 6))
    #expect(time < .seconds(15))
    #expect(server.connections == 2)
  }

  @Test func callsThatAServerLeavesWithAnErrorDoNotWaitForTheirDeadlines() async throws {
    let server = try await leaving(6, code: 2, answersLast: false)
    let (outcomes, time) = try await run(server, calls: 6, .none)
    // The one that the server may have processed is lost, and not repeated.
    #expect(outcomes == ["CONNECTION_LOST"] + [String](repeating: "done", count: 5))
    #expect(time < .seconds(15))
  }
}
