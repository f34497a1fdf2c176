/// A device that is to be added.
public struct NewDevice: Equatable, Sendable {
    /// Its name.
    public var name: DeviceName

    /// The fleet it belongs to.
    public var fleet: Label?

    /// Words that grants and rules can go by.
    public var tags: [Label]

    /// Describes a device.
    public init(name: DeviceName, fleet: Label? = nil, tags: [Label] = []) {
        self.name = name
        self.fleet = fleet
        self.tags = tags
    }

    /// Reads a list: `NAME[,FLEET[,TAG TAG…]]`, a line each.
    ///
    /// Empty lines and those that begin with `#` are passed over; there are no quotes, since no
    /// name can hold a comma.
    ///
    /// - Throws: ``KeyServerError/deviceList(line:reason:)``.
    public static func parse(csv text: String) throws(KeyServerError) -> [NewDevice] {
        var devices: [NewDevice] = []
        var names: Set<DeviceName> = []
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() {
            if line.isEmpty || line.hasPrefix("#") { continue }
            do throws(KeyServerError) {
                let device = try NewDevice(line: line)
                guard names.insert(device.name).inserted else {
                    throw .deviceExists(device.name.text)
                }
                devices.append(device)
            } catch {
                throw .deviceList(line: index + 1, reason: "\(error)")
            }
        }
        return devices
    }

    private init(line: Substring) throws(KeyServerError) {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { field in
            String(field.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        guard fields.count <= 3 else { throw .label(String(line)) }
        name = try DeviceName(fields[0])
        fleet = fields.count > 1 && !fields[1].isEmpty ? try Label(fields[1]) : nil
        tags = []
        guard fields.count > 2 else { return }
        for tag in fields[2].split(separator: " ") { tags.append(try Label(String(tag))) }
    }
}
