// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// The model as JSON.
@Suite struct SchemaJSONTests {
  private static let schema = TestSchema.errors(
    """
    import "google/protobuf/empty.proto";
    // What a shop refuses.
    message ShopError {
      option (taxon.category) = { status: FAILED_PRECONDITION };
      message SoldOut {
        option (taxon.error) = { message: "{item} is sold out" retry: TRANSIENT retry_after { seconds: 3 } };
        string item = 1;
        string card = 2 [(taxon.field).safety = INTERNAL];
      }
    }
    message Order {
      repeated int32 counts = 1;
      map<string, Kind> kinds = 2 [json_name = "sorts"];
      optional Order before = 3 [deprecated = true];
      oneof payment { bool cash = 4; }
      enum Kind { NONE = 0; }
    }
    service Shop {
      // Buys it.
      rpc Buy(stream Order) returns (google.protobuf.Empty) {
        option idempotency_level = IDEMPOTENT;
        option (taxon.raises).errors = "ShopError";
      }
    }
    """)

  @Test func theModelIsWrittenWithWhatItResolves() throws {
    let json = try Self.schema.checked().schema.json()
    #expect(json == Self.text)
  }

  @Test func importsAreWrittenWhenAskedFor() throws {
    let json = try Self.schema.checked().schema.json(imports: true)
    #expect(json.contains("\"path\" : \"google/protobuf/empty.proto\""))
    #expect(json.contains("\"isGenerated\" : false"))
  }

  @Test func detailsAreWrittenAsTemplates() throws {
    let schema = TestSchema.errors(
      """
      message C {
        option (taxon.category) = { status: ABORTED help: { url: "https://x.dev/{a|b}" } };
        message E {
          option (taxon.error) = {
            resource: { type: "T" name: "{a}" } localized: { locale: "de" message: "{{x}} {a}" }
            quota: { subject: "s" } precondition: { type: "P" subject: "{a}" }
          };
          optional string a = 1;
          int32 wait = 2 [(taxon.field).retry_after = MILLISECONDS];
        }
      }
      """)
    let lines = try schema.checked().schema.json().split(separator: "\n").map { $0.drop { $0 == " " } }
    for line in [
      "\"url\" : \"https://x.dev/{a|b}\"", "\"de\" : \"{{x}} {a}\"", "\"name\" : \"{a}\",", "\"type\" : \"T\"",
      "\"subject\" : \"s\"", "\"type\" : \"P\"", "\"retryAfterField\" : \"wait\",",
      "\"retryAfter\" : \"MILLISECONDS\",",
    ] {
      #expect(lines.contains { $0 == line }, "\(line)")
    }
  }

  private static let text = #"""
    {
      "files" : [
        {
          "imports" : [
            "taxon/taxonomy.proto",
            "google/protobuf/empty.proto"
          ],
          "isGenerated" : true,
          "messages" : [
            {
              "comment" : " What a shop refuses.\n",
              "fullName" : "t.ShopError",
              "isCategory" : true,
              "messages" : [
                {
                  "error" : {
                    "breaker" : "NEUTRAL",
                    "code" : "SOLD_OUT",
                    "httpStatus" : 400,
                    "message" : "{item} is sold out",
                    "retry" : "TRANSIENT",
                    "retryAfter" : {
                      "nanos" : 0,
                      "seconds" : 3
                    },
                    "severity" : "ERROR",
                    "status" : "FAILED_PRECONDITION"
                  },
                  "fields" : [
                    {
                      "name" : "item",
                      "number" : 1,
                      "shape" : "plain",
                      "type" : {
                        "scalar" : "string"
                      }
                    },
                    {
                      "name" : "card",
                      "number" : 2,
                      "safety" : "INTERNAL",
                      "shape" : "plain",
                      "type" : {
                        "scalar" : "string"
                      }
                    }
                  ],
                  "fullName" : "t.ShopError.SoldOut",
                  "name" : "SoldOut"
                }
              ],
              "name" : "ShopError"
            },
            {
              "enums" : [
                {
                  "fullName" : "t.Order.Kind",
                  "name" : "Kind",
                  "values" : [
                    {
                      "name" : "NONE",
                      "number" : 0
                    }
                  ]
                }
              ],
              "fields" : [
                {
                  "isPacked" : true,
                  "name" : "counts",
                  "number" : 1,
                  "shape" : "repeated",
                  "type" : {
                    "scalar" : "int32"
                  }
                },
                {
                  "jsonName" : "sorts",
                  "keyType" : {
                    "scalar" : "string"
                  },
                  "name" : "kinds",
                  "number" : 2,
                  "shape" : "map",
                  "type" : {
                    "enum" : "t.Order.Kind"
                  }
                },
                {
                  "isDeprecated" : true,
                  "isRecursive" : true,
                  "name" : "before",
                  "number" : 3,
                  "shape" : "optional",
                  "type" : {
                    "message" : "t.Order"
                  }
                },
                {
                  "name" : "cash",
                  "number" : 4,
                  "oneof" : "payment",
                  "shape" : "oneof",
                  "type" : {
                    "scalar" : "bool"
                  }
                }
              ],
              "fullName" : "t.Order",
              "name" : "Order"
            }
          ],
          "package" : "t",
          "path" : "t.proto",
          "services" : [
            {
              "fullName" : "t.Shop",
              "methods" : [
                {
                  "comment" : " Buys it.\n",
                  "idempotency" : "idempotent",
                  "input" : "t.Order",
                  "name" : "Buy",
                  "output" : "google.protobuf.Empty",
                  "raises" : [
                    "t.ShopError.SoldOut"
                  ],
                  "streamsRequests" : true
                }
              ],
              "name" : "Shop"
            }
          ],
          "syntax" : "proto3",
          "taxonomy" : {
            "domain" : "t.example.com"
          }
        }
      ]
    }
    """#
}
