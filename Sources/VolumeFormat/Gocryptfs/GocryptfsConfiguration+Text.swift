internal import Cryptography
internal import JSONText

extension GocryptfsConfiguration {
    /// Values of `LongNameMax` as `gocryptfs -longnamemax` takes them, but for the default of 255,
    /// which is not written.
    public static let longNameMaxima = 62...254

    private static let members = [
        "Creator", "EncryptedKey", "ScryptObject", "Version", "FeatureFlags", "LongNameMax",
    ]
    private static let scryptMembers = ["Salt", "N", "R", "P", "KeyLen"]

    /// Reads the file.
    ///
    /// - Parameter file: At most ``maximumCount`` bytes of JSON.
    /// - Throws: ``VolumeFormatError/gocryptfs(_:)``.
    public init(parsing file: UnsafeRawBufferPointer) throws(VolumeFormatError) {
        do throws(GocryptfsConfigurationFault) {
            let root = try Self.json { () throws(JSONError) in
                guard let root = try JSONDocument(SecretBytes(copying: file)).root else {
                    throw .notJSON(offset: 0)
                }
                return root
            }
            try self.init(root)
        } catch {
            throw .gocryptfs(error)
        }
    }

    private init(_ root: JSONObject) throws(GocryptfsConfigurationFault) {
        // Before anything else is looked at: a flag explains what the rest of the file looks like.
        features = try Self.features(
            Self.json { () throws(JSONError) in
                try root.texts("FeatureFlags", maximum: 32, limit: 64)
            }
        )
        let version = try Self.json { () throws(JSONError) in
            try Self.required("Version", root.integer("Version"))
        }
        guard version == Self.version else { throw .version(found: version) }
        if let name = root.names.first(where: { !Self.members.contains($0) }) {
            throw .memberUnknown(name: name)
        }
        creator = try Self.json { () throws(JSONError) in
            try root.text("Creator", limit: 256) ?? ""
        }
        let longNameMax = try Self.json { () throws(JSONError) in
            try root.integer("LongNameMax")
        }
        if let longNameMax {
            guard features.contains(.longNameMax), Self.longNameMaxima.contains(longNameMax) else {
                throw .longNameMax(found: longNameMax)
            }
        } else if features.contains(.longNameMax) {
            throw .longNameMax(found: nil)
        }
        self.longNameMax = longNameMax
        scrypt = try Self.scrypt(root)
        encryptedKey = try Self.base64("EncryptedKey", of: root)
        guard encryptedKey.count == GocryptfsKeyWrap.count(usesHKDF: features.contains(.hkdf))
        else {
            throw .encryptedKey
        }
    }

    private static func features(
        _ names: [String]?
    ) throws(GocryptfsConfigurationFault) -> [GocryptfsFeature] {
        guard let names else { throw .json(.missing(member: "FeatureFlags")) }
        var features: [GocryptfsFeature] = []
        for name in names {
            guard let feature = GocryptfsFeature(rawValue: name) else {
                throw .featureUnknown(name: name)
            }
            guard !features.contains(feature) else { throw .featureTwice(feature) }
            features.append(feature)
        }
        try GocryptfsFeature.check(features)
        return features
    }

    private static func scrypt(
        _ root: JSONObject
    ) throws(GocryptfsConfigurationFault) -> GocryptfsScrypt {
        let object = try json { () throws(JSONError) in
            try required("ScryptObject", root.object("ScryptObject"))
        }
        if let name = object.names.first(where: { !scryptMembers.contains($0) }) {
            throw .memberUnknown(name: name)
        }
        let (n, r, p, count) = try json { () throws(JSONError) in
            (
                try required("N", object.integer("N")), try required("R", object.integer("R")),
                try required("P", object.integer("P")),
                try required("KeyLen", object.integer("KeyLen"))
            )
        }
        guard count == AESGCM.keyCount,
            let scrypt = GocryptfsScrypt(
                salt: try base64("Salt", of: object),
                n: n,
                r: r,
                p: p
            )
        else { throw .scrypt }
        return scrypt
    }

    private static func base64(
        _ name: String,
        of object: JSONObject
    ) throws(GocryptfsConfigurationFault) -> [UInt8] {
        let text = try json { () throws(JSONError) in
            try required(name, object.text(name, limit: 2048))
        }
        let bytes = Array(text.utf8)
        return try lending(bytes) { text throws(GocryptfsConfigurationFault) in
            try filling(text.count) { bytes throws(GocryptfsConfigurationFault) in
                do throws(CryptographyError) {
                    return try Base64.decode(text, as: .standard, into: bytes)
                } catch {
                    throw .json(.invalid(member: name))
                }
            }
        }
    }

    private static func required<Value>(
        _ name: String,
        _ value: Value?
    ) throws(JSONError) -> Value {
        guard let value else { throw .missing(member: name) }
        return value
    }

    private static func json<Result>(
        _ body: () throws(JSONError) -> Result
    ) throws(GocryptfsConfigurationFault) -> Result {
        do throws(JSONError) {
            return try body()
        } catch {
            throw .json(error)
        }
    }

    /// The file, byte for byte as gocryptfs writes it: tabs, a line for each member.
    public var text: [UInt8] {
        var json = JSONWriter()
        json.append("{\n\t\"Creator\": ")
        json.append(quoting: creator)
        json.append(
            ",\n\t\"EncryptedKey\": \"\(Self.base64(encryptedKey))\",\n\t\"ScryptObject\": {"
        )
        json.append("\n\t\t\"Salt\": \"\(Self.base64(scrypt.salt))\"")
        json.append(",\n\t\t\"N\": \(scrypt.cost.n),\n\t\t\"R\": \(scrypt.cost.r)")
        json.append(",\n\t\t\"P\": \(scrypt.cost.p),\n\t\t\"KeyLen\": \(AESGCM.keyCount)\n\t}")
        json.append(",\n\t\"Version\": \(Self.version),\n\t\"FeatureFlags\": [\n\t\t")
        json.append(features.map { "\"\($0.rawValue)\"" }.joined(separator: ",\n\t\t"))
        json.append("\n\t]")
        if let longNameMax { json.append(",\n\t\"LongNameMax\": \(longNameMax)") }
        json.append("\n}\n")
        return json.text.withUnsafeBytes { Array($0) }
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { Base64.encode($0, as: .standard) }
    }
}

extension GocryptfsFeature {
    /// Which features go together: what gocryptfs takes, and names in one way or the other.
    static func check(_ features: [GocryptfsFeature]) throws(GocryptfsConfigurationFault) {
        if features.contains(.fido2) { throw .fido2 }
        func exclude(_ first: Self, _ others: Self...) throws(GocryptfsConfigurationFault) {
            guard features.contains(first) else { return }
            for other in others where features.contains(other) {
                throw .featuresContradict(first, other)
            }
        }
        func require(_ feature: Self) throws(GocryptfsConfigurationFault) {
            guard features.contains(feature) else { throw .featureMissing(feature) }
        }
        try exclude(.xchacha20Poly1305, .aesSIV, .gcmIV128)
        try exclude(.plaintextNames, .emeNames, .dirIV, .longNames, .raw64, .longNameMax)
        try require(features.contains(.xchacha20Poly1305) ? .hkdf : .gcmIV128)
        if !features.contains(.plaintextNames) { try require(.emeNames) }
        if features.contains(.longNameMax) { try require(.longNames) }
    }
}
