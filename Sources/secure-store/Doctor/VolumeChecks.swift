internal import Cryptography
internal import Glibc
internal import KeyProtocol
internal import KeyServer
internal import VolumeFormat

/// Whether a volume is there, can be opened and has a place to be mounted at.
struct VolumeChecks {
    /// Where the ciphertext is.
    let storage: String

    /// The volume's configuration.
    let configuration: String

    /// Where the view is to be.
    let mount: String

    /// What opens it, if that is known here.
    let key: StoreKey?

    /// Where a configuration is looked for when nobody says where it is.
    static func configuration(of storage: String) -> String {
        let inStorage = "\(storage)/\(GocryptfsNames.configurationName)"
        return StateFile.exists(inStorage) ? inStorage : "./encrypt.conf"
    }

    /// Looks at all three.
    func run() -> [Check] { [checkConfiguration(), checkMount()] }

    private func checkConfiguration() -> Check {
        let hasContent = Self.hasContent(storage)
        guard StateFile.exists(configuration) else {
            if hasContent == true {
                return .failure(
                    "volume",
                    "\(storage) holds a volume, but \(configuration) is missing",
                    fix: "name it with --config; a new one would not decrypt what is there"
                )
            }
            return .skipped("volume", "none yet: the first start makes one in \(storage)")
        }
        if hasContent == nil {
            return .failure(
                "volume",
                "\(configuration) is there, but no directory \(storage)",
                fix: "name it with --storage"
            )
        }
        return open()
    }

    private func open() -> Check {
        let file: SecretBytes
        do throws(KeyServerError) {
            file = try StateFile.read(configuration, limit: RcloneConfiguration.maximumCount)
        } catch {
            return .failure("volume", "\(error)", fix: "restore \(configuration)")
        }
        do throws(VolumeFormatError) {
            return .ok("volume", "\(configuration) opens, \(try open(file))")
        } catch .wrongPassword {
            guard key != nil else {
                return .ok("volume", "\(configuration) is there; give the key to try it")
            }
            return .failure(
                "volume",
                "the key does not open \(configuration)",
                fix: "another volume's key, or the file was changed"
            )
        } catch .password where key == nil {
            return .ok("volume", "\(configuration) is there; give the key to try it")
        } catch {
            return .failure("volume", "\(configuration): \(error)", fix: "restore it")
        }
    }

    private func open(_ file: SecretBytes) throws(VolumeFormatError) -> String {
        // Without the key, a key that cannot be right still tells a sound file from a bad one.
        let password = key?.text ?? SecretBytes.random(count: 32)
        return try file.withUnsafeBytes { bytes throws(VolumeFormatError) in
            if GocryptfsConfiguration.recognizes(bytes) {
                let configuration = try GocryptfsConfiguration(parsing: bytes)
                guard key != nil else { throw .wrongPassword }
                _ = try configuration.unlock(password: password)
                return "gocryptfs, \(configuration.cipher.rawValue)"
            }
            let decrypted = try RcloneConfiguration(decrypting: bytes, password: password)
            return "remote '\(try RcloneVolumeConfiguration(decrypted).remoteName)'"
        }
    }

    private func checkMount() -> Check {
        switch Self.hasContent(mount) {
        case nil where StateFile.exists(mount):
            .failure("mount point", "\(mount) is no directory", fix: "choose another: --mount")
        case nil: .ok("mount point", "\(mount) will be made")
        case .some(false): .ok("mount point", "\(mount) is empty")
        case .some(true):
            .failure(
                "mount point",
                "\(mount) is not empty, and mounting would hide what is in it",
                fix: "empty it, or choose another: --mount"
            )
        }
    }

    /// Whether a directory has anything in it; `nil` where it is none.
    private static func hasContent(_ path: String) -> Bool? {
        (try? StateFile.names(in: path)).map { !$0.isEmpty }
    }
}
