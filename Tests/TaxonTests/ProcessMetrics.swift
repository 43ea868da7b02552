// SPDX-License-Identifier: Apache-2.0
import Metrics
import MetricsTestKit

/// What is counted for the whole process, whose metrics can be sent somewhere once.
let processMetrics: TestMetrics = {
  let metrics = TestMetrics()
  MetricsSystem.bootstrap(metrics)
  return metrics
}()
