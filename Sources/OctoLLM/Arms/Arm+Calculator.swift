// SPDX-License-Identifier: Apache-2.0
import Taxon

extension Arm {
  /// Works out the arithmetic expression that is the task's description, such as "2 * (3 + 4)".
  ///
  /// The work throws `VALIDATION_ERROR` for what is no such expression.
  public static func calculator(limiter: RateLimiter? = nil) -> Arm {
    Arm("calculator", capabilities: ["arithmetic"], limiter: limiter) { contract in
      do throws(Arithmetic.Mistake) {
        return ErrorText(try Arithmetic.evaluate(contract.description))
      } catch {
        throw ValidationError.invalidInput(field: "contract.description", description: error.description, cause: error)
      }
    }
  }
}
