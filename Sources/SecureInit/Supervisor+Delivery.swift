internal import Cryptography
internal import Linux

extension Supervisor {
    /// Makes files of secrets.
    ///
    /// Mounted where that is possible or was asked for, else sealed and without a place.
    ///
    /// - Parameters:
    ///   - secrets: Names without `ENCRYPTED_`, and values.
    ///   - others: The names of what stays a variable.
    /// - Returns: `X_FILE` and its value for each.
    /// - Throws: ``InitError/delivery(name:_:)``, ``InitError/deliveryDirectory(_:_:)``, or what the
    ///   system says.
    func deliver(
        _ secrets: [(name: String, value: SecretBytes)],
        beside others: [String]
    ) throws(InitError) -> [(name: String, value: SecretBytes)] {
        guard !secrets.isEmpty else { return [] }
        let taken = Set(others)
        let files = try secrets.map { secret throws(InitError) in
            guard !taken.contains(Self.pathVariable(of: secret.name)) else {
                throw .delivery(name: secret.name, .taken)
            }
            guard let name = FileName(secret.name.utf8), name.count <= 255 else {
                throw .delivery(name: secret.name, .name)
            }
            return (name: name, value: secret.value)
        }
        let directory = settings.delivery.directory
        let made: SecretFiles
        do throws(Errno) {
            made = try mountedFiles(files, at: directory ?? Delivery.defaultDirectory)
        } catch {
            if let directory { throw .deliveryDirectory(directory, error) }
            made = try sealedFiles(files, because: error)
        }
        secretFiles = made
        return zip(secrets, made.paths).map { secret, path in
            (Self.pathVariable(of: secret.name), SecretBytes(copying: path.utf8))
        }
    }

    private static func pathVariable(of name: String) -> String { "\(name)_FILE" }

    private var reader: (user: UInt32, group: UInt32) {
        plan.identity.map { ($0.user, $0.group) }
            ?? (CurrentProcess.effectiveUser, CurrentProcess.effectiveGroup)
    }

    private func mountedFiles(
        _ files: [(name: FileName, value: SecretBytes)],
        at directory: String
    ) throws(Errno) -> SecretFiles {
        // Without it, not even the directory is made.
        guard try ProcessCapabilities().effective.contains(.administer) else {
            throw .operationNotPermitted
        }
        let (user, group) = reader
        let made = try SecretFiles(in: directory, files, user: user, group: group) {
            guardMount(.secretFiles, $0)
        }
        log.info(
            "secrets are in files",
            ["directory": .text(directory), "filesystem": "ramfs", "names": Self.names(files)]
        )
        return made
    }

    private func sealedFiles(
        _ files: [(name: FileName, value: SecretBytes)],
        because cause: Errno
    ) throws(InitError) -> SecretFiles {
        do throws(Errno) {
            let (user, group) = reader
            let made = try SecretFiles(sealing: files, user: user, group: group)
            log.info(
                "secrets are in sealed memory: cannot mount at \(Delivery.defaultDirectory): \(cause)",
                ["names": Self.names(files), "swap": made.isLocked ? "never" : "possible"]
            )
            return made
        } catch {
            throw .system("cannot make a file in memory", error)
        }
    }

    private static func names(_ files: [(name: FileName, value: SecretBytes)]) -> Log.Value {
        .text(files.map { "\($0.name)" }.joined(separator: ","))
    }
}
