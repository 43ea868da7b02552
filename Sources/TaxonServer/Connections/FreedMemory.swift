// SPDX-License-Identifier: Apache-2.0
import Dispatch
import TaxonProtobuf

#if canImport(Glibc)
  import Glibc
#endif

/// Gives memory back to the system that connections have used and freed. glibc keeps it otherwise: where large blocks were
/// freed, it reckons that large blocks will be wanted again.
enum FreedMemory {
  #if canImport(Glibc)
    private typealias Trim = @convention(c) (Int) -> CInt

    // malloc_trim, which Swift's Glibc lacks; nil where another allocator is at work that has none.
    private static let trim = dlsym(nil, "malloc_trim").map { unsafeBitCast($0, to: Trim.self) }
    private static let isScheduled = Locked(false)
  #endif

  /// Does so in a quarter of a second, at most once a second, and not on the thread of the caller: it takes milliseconds.
  static func giveBackSoon() {
    #if canImport(Glibc)
      guard let trim else { return }
      let isFirst = isScheduled.withLock { isScheduled in
        defer { isScheduled = true }
        return !isScheduled
      }
      guard isFirst else { return }
      DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + 0.25) {
        isScheduled.withLock { $0 = false }
        _ = trim(0)
      }
    #endif
  }
}
