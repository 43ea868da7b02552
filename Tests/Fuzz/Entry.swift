// SPDX-License-Identifier: Apache-2.0

// Each target has a `fuzz` of its own, which `swift test` gives the target's corpus too.
private func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  fuzz(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

private typealias Input = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?

/// libFuzzer's main as a function (FuzzerInterface.h).
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>, _ input: Input
) -> Int32

/// SwiftPM calls the main function of a target by the target's name.
@_cdecl("fuzz_main")
public func fuzzMain(
  _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments, fuzzOneInput)
}
