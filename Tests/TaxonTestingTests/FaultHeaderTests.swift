// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

@testable import TaxonTesting

@Suite struct FaultHeaderTests {
  @Test(arguments: [
    "TASK_NOT_FOUND", "octollm.dev/TASK_NOT_FOUND", "TASK_NOT_FOUND;delay=50ms", "status=UNAVAILABLE;delay=2s",
    "reset=CANCEL",
    "reset=REFUSED_STREAM", "goaway", "close", "delay=1s", "TASK_NOT_FOUND;messages=3", "TASK_NOT_FOUND;damage=payload",
    "TASK_NOT_FOUND;damage=truncated", "TASK_NOT_FOUND;damage=20000", "TASK_NOT_FOUND;retry-after=5s",
    "DATABASE_ERROR;delay=50ms;messages=2;damage=truncated;retry-after=500ms",
  ])
  func whatItSaysIsRead(_ text: String) throws {
    #expect(try FaultHeader(text).fault.description == text)
  }

  @Test func shareAndTimesAreRead() throws {
    let header = try FaultHeader("TASK_NOT_FOUND; rate=0.25 ;times=3;key=me")
    #expect(header.share == 0.25)
    #expect(header.times == 3)
    #expect(try FaultHeader("reset").fault.description == "reset=INTERNAL_ERROR")
    #expect(try FaultHeader("status=OK").fault.description == "status=OK")
  }

  @Test(arguments: [
    ("", "a part is empty"), (";", "a part is empty"), ("TASK_NOT_FOUND;", "a part is empty"),
    ("TASK_NOT_FOUND;delay", "\"delay\" is neither a fault nor a parameter"),
    ("task_not_found", "\"task_not_found\" is neither a fault nor a parameter"),
    ("TASK=1", "\"TASK=1\" is no code"), ("status=GONE", "gRPC has no status \"GONE\""),
    ("reset=NEVER", "a stream is not reset with \"NEVER\""),
    ("TASK_NOT_FOUND;delay=50", "a duration is written 50ms or 2s"),
    ("TASK_NOT_FOUND;delay=-1s", "a duration is written"), ("TASK_NOT_FOUND;delay=3601s", "an hour at most"),
    ("TASK_NOT_FOUND;rate=1.5", "a rate is 0 to 1"), ("TASK_NOT_FOUND;rate=nan", "a rate is 0 to 1"),
    ("TASK_NOT_FOUND;rate=0x1p-1", "a rate is 0 to 1"), ("TASK_NOT_FOUND;times=0", "the number is 1 to 1000"),
    ("TASK_NOT_FOUND;times=+1", "the number is 1 to 1000"),
    ("TASK_NOT_FOUND;times=99999999", "the number is 1 to 1000"),
    ("TASK_NOT_FOUND;times=1;times=2", "times is given twice"), ("TASK_NOT_FOUND;key=a", "key needs times"),
    ("TASK_NOT_FOUND;key=;times=1", "a key has 1 to 64 bytes"), ("TASK_NOT_FOUND;status=OK", "has to come first"),
    ("TASK_NOT_FOUND;speed=1", "there is no parameter \"speed\""), ("delay=0s", "neither a fault nor a delay"),
    ("rate=1", "neither a fault nor a delay"), ("delay=1s;messages=1", "messages needs a fault"),
    ("goaway;messages=3", "messages needs a fault that ends the answer"),
    ("close;damage=payload", "damage needs an error"), ("reset;retry-after=1s", "retry-after needs an error"),
    ("TASK_NOT_FOUND;damage=40000", "the number is 1 to 32768"),
  ])
  func whatIsWrongIsSaid(_ text: String, _ reason: String) {
    let error = #expect(throws: RPCError.self) { try FaultHeader(text) }
    #expect(error?.status == .invalidArgument)
    #expect(error?.message.hasPrefix("taxon-fault: ") == true)
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test func itIsBounded() {
    let error = #expect(throws: RPCError.self) { try FaultHeader(String(repeating: "A", count: 513)) }
    #expect(error?.message == "taxon-fault: it is longer than 512 bytes")
    let twice = #expect(throws: RPCError.self) {
      var metadata = Metadata()
      metadata.add("taxon-fault", "A")
      metadata.add("taxon-fault", "B")
      _ = try FaultHeader(metadata)
    }
    #expect(twice?.message == "taxon-fault: it came 2 times")
  }
}

@Suite struct EnvoyFaultHeadersTests {
  private func fault(_ metadata: Metadata, _ abort: Double = 0, _ delay: Double = 0, most: Double = 1) -> String? {
    EnvoyFaultHeaders(metadata, maxShare: most)?.fault(abort: abort, delay: delay)?.description
  }

  @Test(
    arguments: [
      (["x-envoy-fault-abort-grpc-request": "14"], "status=UNAVAILABLE"),
      (["x-envoy-fault-abort-grpc-request": "0"], "status=OK"),
      (["x-envoy-fault-abort-grpc-request": "4294967295"], "status=UNKNOWN"),
      (["x-envoy-fault-abort-request": "503"], "status=UNAVAILABLE"),
      (["x-envoy-fault-abort-request": "200"], "status=UNKNOWN"),
      (["x-envoy-fault-abort-request": "404", "x-envoy-fault-abort-grpc-request": "14"], "status=UNIMPLEMENTED"),
      (["x-envoy-fault-delay-request": "53"], "delay=53ms"),
      (
        ["x-envoy-fault-abort-grpc-request": "3", "x-envoy-fault-delay-request": "53"],
        "status=INVALID_ARGUMENT;delay=53ms"
      ),
    ] as [(Metadata, String)])
  func theyAreThoseOfA33(_ metadata: Metadata, _ expected: String) {
    #expect(fault(metadata) == expected)
  }

  @Test(arguments: ["", "-1", "4294967296", "x", "1.5", " 3"]) func anInvalidValueIsIgnored(_ value: String) {
    #expect(fault(["x-envoy-fault-abort-grpc-request": value]) == nil)
    #expect(fault(["x-envoy-fault-delay-request": value == "" ? "0" : value]) == nil)
  }

  @Test func pauseAndAbortThrowDiceOfTheirOwn() {
    let metadata: Metadata = [
      "x-envoy-fault-abort-grpc-request": "14", "x-envoy-fault-abort-request-percentage": "5",
      "x-envoy-fault-delay-request": "10", "x-envoy-fault-delay-request-percentage": "20",
    ]
    #expect(fault(metadata, 0.04, 0.19) == "status=UNAVAILABLE;delay=10ms")
    #expect(fault(metadata, 0.04, 0.2) == "status=UNAVAILABLE")
    #expect(fault(metadata, 0.05, 0.19) == "delay=10ms")
    #expect(fault(metadata, 0.05, 0.2) == nil)
    #expect(fault(metadata, 0.04, 0.5, most: 0.01) == nil, "the server's share is the most there is")
  }
}
