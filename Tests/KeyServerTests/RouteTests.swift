import HTTPTypes
import Testing

@testable import KeyServer

@Suite struct `A route` {
    @Test(arguments: [
        (HTTPRequest.Method.get, "/key", Route.key), (.get, "/key?x=1", .key),
        (.post, "/v1/unlock", .unlock), (.post, "/key", .wrongMethod(allowed: "GET")),
        (.head, "/key", .wrongMethod(allowed: "GET")),
        (.get, "/v1/unlock", .wrongMethod(allowed: "POST")),
        (.post, "/v1/enroll", .enroll), (.post, "/v1/renew", .renew),
        (.get, "/v1/enroll", .wrongMethod(allowed: "POST")), (.post, "/v1/enroll/", .unknown),
        (.put, "/v1/unlock", .wrongMethod(allowed: "POST")),
        (.get, "/", .unknown), (.get, "", .unknown), (.get, "/key/", .unknown),
        (.get, "//key", .unknown), (.get, "/KEY", .unknown), (.get, "/%6bey", .unknown),
        (.get, "/x/../key", .unknown), (.get, "/key#x", .unknown),
        (.post, "/v1/unlock/", .unknown), (.get, "https://host/key", .unknown),
    ])
    func `has one spelling`(method: HTTPRequest.Method, path: String, route: Route) {
        #expect(Route(method: method, path: path) == route)
    }
}
