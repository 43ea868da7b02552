// SPDX-License-Identifier: Apache-2.0
import Foundation
import Metrics

/// Writes the label and the dimensions of each metric to stderr, on a line that begins with "metric", when it is made.
struct PrintedMetrics: MetricsFactory {
  private final class Nothing: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler
  {
    func increment(by amount: Int64) {}
    func increment(by amount: Double) {}
    func decrement(by amount: Double) {}
    func reset() {}
    func set(_ value: Int64) {}
    func set(_ value: Double) {}
    func record(_ value: Int64) {}
    func record(_ value: Double) {}
    func recordNanoseconds(_ duration: Int64) {}
  }

  private func made(_ label: String, _ dimensions: [(String, String)]) -> Nothing {
    let line = (["metric", label] + dimensions.map { "\($0)=\($1)" }).joined(separator: " ") + "\n"
    FileHandle.standardError.write(Data(line.utf8))
    return Nothing()
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { made(label, dimensions) }
  func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
    made(label, dimensions)
  }
  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { made(label, dimensions) }
  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    made(label, dimensions)
  }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { made(label, dimensions) }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  func destroyMeter(_ handler: any MeterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}
