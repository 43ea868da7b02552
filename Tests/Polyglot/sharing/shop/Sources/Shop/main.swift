// SPDX-License-Identifier: Apache-2.0
import Money
import OrdersAPI
import OrdersService
import PlatformErrors
import StockAPI
import StockService
import Taxon

// Without retries, for which the errors ask: each answer is to be seen at once.
let stockServer = Server(.init(host: "127.0.0.1", port: 0), services: [Shelf()])
try await stockServer.start()
let stock = Stock.Client(try Channel("dns:///127.0.0.1:\(stockServer.port!)", policy: .none))

let ordersServer = Server(.init(host: "127.0.0.1", port: 0), services: [Desk(stock: stock)])
try await ordersServer.start()
let orders = Orders.Client(try Channel("dns:///127.0.0.1:\(ordersServer.port!)", policy: .none))

for item in ["tea", "gold", "caviar", "ice", "moon"] {
  do throws(Stock.TakeError) {
    print("\(item):", try await stock.take(TakeRequest(item: item)).left, "left")
  } catch .rightMissing(let error) {
    print("\(item): \(error.caller) has no right to \(error.right)")
  } catch .budgetSpent(let error) {
    print("\(item): \(error.team) has no more than \(error.budget?.cents ?? 0) cents")
  } catch .maintenance(let error) {
    print("\(item): wait until \(error.until), \(error.domain)")
  } catch .unknownItem(let error) {
    print("\(item): no \(error.item), \(error.domain)")
  } catch {
    print("\(item): \(error)")
  }
}

var basket = Shop_V1_Basket(missing: .init(item: "moon", hardness: .hard, days: []))
basket.orders = ["tea", "gold", "ice", "caviar"].map { OrderRequest(items: [TakeRequest(item: $0)]) }
for order in basket.orders {
  do throws(Orders.OrderError) {
    print("order:", try await orders.order(order).price?.cents ?? 0, "cents")
  } catch .rightMissing(let error) {
    print("order: \(error.message)")
  } catch .budgetSpent(let error) {
    print(
      "order: \(error.categories), \(error.severity), \(error.retry), \(error.retryAfter ?? .zero), \(error.isRetrySafe)"
    )
  } catch {
    print("order: \(error.code), \(error.message)")
  }
}

for file in Desk.fileDescriptor?.closure ?? [] { print("schema:", file.name) }
await ordersServer.shutDown()
await stockServer.shutDown()
