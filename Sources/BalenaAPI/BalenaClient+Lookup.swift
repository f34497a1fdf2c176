internal import JSONText

/// A device as balena knows it.
public struct BalenaDevice: Sendable, Equatable {
    /// What the dashboard calls it.
    public let name: String

    /// 32 or 62 hexadecimal digits.
    public let uuid: String
}

extension BalenaClient {
    /// As many devices as one request asks for.
    private static let pageCount = 100

    /// The devices of a fleet, in the order they were added.
    ///
    /// - Parameter slug: `ORGANISATION/FLEET`.
    /// - Returns: Those that the token may see.
    /// - Throws: ``BalenaError``.
    public mutating func devices(ofFleet slug: String) throws(BalenaError) -> [BalenaDevice] {
        let target = BalenaTarget.fleet(slug: slug, service: nil)
        let fleet = try findFleet(slug)
        var devices: [BalenaDevice] = []
        while true {
            var query = ODataQuery(resource: "device")
            query.fields = ["uuid", "device_name"]
            query.filter = .field("belongs_to__application", is: fleet)
            query.page = (devices.count, Self.pageCount)
            let page = try read(query, target.name)
            for entry in page {
                do throws(JSONError) {
                    guard let uuid = try entry.text("uuid", limit: 255) else {
                        throw .missing(member: "uuid")
                    }
                    let name = try entry.text("device_name", limit: 255) ?? ""
                    devices.append(BalenaDevice(name: name, uuid: uuid))
                } catch {
                    throw .answer(what: target.name, cause: "\(error)")
                }
            }
            if page.count < Self.pageCount { return devices }
        }
    }

    /// Where a target's variables are.
    mutating func findShelf(of target: BalenaTarget) throws(BalenaError) -> VariableShelf {
        switch target {
        case .device(let uuid, let service):
            let device = try findOne("device", .field("uuid", is: uuid), "device \(uuid)")
            guard let service else {
                return VariableShelf(
                    resource: "device_environment_variable",
                    owner: "device",
                    ownerID: device,
                    target: target
                )
            }
            let install = try findOne(
                "service_install",
                .field("device", is: device)
                    && .linked("installs__service", "service_name", is: service),
                target.name
            )
            return VariableShelf(
                resource: "device_service_environment_variable",
                owner: "service_install",
                ownerID: install,
                target: target
            )
        case .fleet(let slug, let service):
            let fleet = try findFleet(slug)
            guard let service else {
                return VariableShelf(
                    resource: "application_environment_variable",
                    owner: "application",
                    ownerID: fleet,
                    target: target
                )
            }
            let found = try findOne(
                "service",
                .field("application", is: fleet) && .field("service_name", is: service),
                target.name
            )
            return VariableShelf(
                resource: "service_environment_variable",
                owner: "service",
                ownerID: found,
                target: target
            )
        }
    }

    private mutating func findFleet(_ slug: String) throws(BalenaError) -> Int {
        try findOne("application", .field("slug", is: slug), "fleet \(slug)")
    }

    /// The number of the one entry there is.
    private mutating func findOne(
        _ resource: String,
        _ filter: ODataFilter,
        _ what: String
    ) throws(BalenaError) -> Int {
        var query = ODataQuery(resource: resource)
        query.fields = ["id"]
        query.filter = filter
        let entries = try read(query, what)
        guard let entry = entries.first else { throw .notFound(what: what) }
        guard entries.count == 1 else {
            throw .answer(what: what, cause: "\(entries.count) of them")
        }
        do throws(JSONError) {
            guard let id = try entry.integer("id") else { throw .missing(member: "id") }
            return id
        } catch {
            throw .answer(what: what, cause: "\(error)")
        }
    }
}
