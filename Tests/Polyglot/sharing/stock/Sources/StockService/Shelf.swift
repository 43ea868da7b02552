// SPDX-License-Identifier: Apache-2.0
import Money
import PlatformErrors
public import StockAPI
public import Taxon

/// The stock, of which anybody may have tea.
public struct Shelf: Stock.Service {
  /// The same for everybody.
  public init() {}

  /// Only tea can be had without trouble.
  public func take(_ request: TakeRequest, context: ServerContext) async throws(Stock.TakeError) -> TakeReply {
    switch request.item {
    case "tea": return TakeReply(left: 7)
    case "gold": throw .rightMissing(right: "take gold", caller: "Ada")
    case "caviar": throw .budgetSpent(team: "kitchen", budget: .init(currency: "EUR", cents: 5_000))
    case "ice": throw .maintenance(until: "nine")
    default: throw .unknownItem(item: request.item, hardness: .hard, days: [])
    }
  }
}
