// SPDX-License-Identifier: Apache-2.0
import Money
public import OrdersAPI
import PlatformErrors
public import StockAPI
public import Taxon

/// Takes orders, and what they need from the stock.
public struct Desk: Orders.Service {
  private let stock: Stock.Client

  /// A desk that takes things from a stock.
  public init(stock: Stock.Client) { self.stock = stock }

  /// Takes everything that is ordered; the first thing that cannot be had ends it.
  public func order(_ request: OrderRequest, context: ServerContext) async throws(Orders.OrderError) -> OrderReply {
    for item in request.items {
      do throws(Stock.TakeError) {
        _ = try await stock.take(item)
      } catch .rightMissing(let error) {
        throw .rightMissing(right: "order: \(error.right)", caller: error.caller)
      } catch .budgetSpent(let error) {
        throw .budgetSpent(error)
      } catch .unknownItem(let error) {
        throw .unknownItem(error)
      } catch {
        throw .other(RPCError(.unavailable, "The stock is closed: \(error.message)"))
      }
    }
    return OrderReply(price: .init(currency: "EUR", cents: 100 * Int64(request.items.count)))
  }
}
