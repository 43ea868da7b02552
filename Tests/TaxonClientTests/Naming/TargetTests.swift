// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import Testing

@testable import TaxonClient

/// gRPC's names for targets.
struct TargetTests {
  @Test(arguments: [
    ("dns:///localhost:50051", "localhost", 50051, "localhost:50051"),
    ("dns:orders.example.com:80", "orders.example.com", 80, "orders.example.com:80"),
    ("orders.example.com", "orders.example.com", 443, "orders.example.com:443"),
    ("[::1]:50051", "::1", 50051, "[::1]:50051"), ("127.0.0.1:1", "127.0.0.1", 1, "127.0.0.1:1"),
  ])
  func aNameHasAHostAndAPort(_ text: String, host: String, port: Int, authority: String) throws {
    let target = try Target(text)
    #expect(target.address == .name(host: host, port: port))
    #expect(target.authority == authority)
    #expect(target.description == text)
  }

  @Test(arguments: [
    ("ipv4:127.0.0.1:50051", ["127.0.0.1:50051"]), ("ipv4:10.0.0.1:1,10.0.0.2:2", ["10.0.0.1:1", "10.0.0.2:2"]),
    ("ipv6:[::1]:50051", ["[::1]:50051"]), ("ipv6:[::1]:1,[2001:db8::1]:2", ["[::1]:1", "[2001:db8::1]:2"]),
    ("unix:///run/taxon.socket", ["unix:/run/taxon.socket"]), ("unix:taxon.socket", ["unix:taxon.socket"]),
  ])
  func aListHasItsAddressesInTheirOrder(_ text: String, expected: [String]) throws {
    let target = try Target(text)
    guard case .addresses(let addresses) = target.address else {
      Issue.record("\(target.address) is no list")
      return
    }
    #expect(addresses.map(\.text) == expected)
    #expect(target.authority == (text.hasPrefix("unix") ? "localhost" : expected[0]))
  }

  @Test(arguments: [
    "", "dns:///", "http://localhost:1", "localhost:0", "localhost:65536", "localhost:x", "::1:50051", "[::1", "ipv4:",
    "ipv4:localhost:1", "ipv4:127.0.0.1:1,", "ipv4:[::1]:1", "ipv6:127.0.0.1:1", "ipv6:[::1]:1,[::1]:0", "unix:",
    "unix:/" + String(repeating: "x", count: 200), "dns:///a:1,b:2", "dns://8.8.8.8/name:1",
  ])
  func anythingElseIsASetupError(_ text: String) {
    do throws(SetupError) {
      _ = try Target(text)
      Issue.record("no error for \(text)")
    } catch {
      guard case .invalidSetting(let error) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(error.name == "target")
      #expect(error.value == text)
    }
  }

  @Test func theSystemKnowsLocalhostAndSaysWhatItDoesNotKnow() throws {
    let addresses = try systemNameLookup("localhost", 50051)
    #expect(addresses.contains { $0.text == "127.0.0.1:50051" || $0.text == "[::1]:50051" })
    #expect(Set(addresses).count == addresses.count)
    #expect {
      _ = try systemNameLookup("no-such-host.invalid", 1)
    } throws: { error in
      "\(error)".hasPrefix("the name no-such-host.invalid cannot be resolved: ")
    }
  }
}
