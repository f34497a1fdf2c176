import Foundation
import TestSupport

/// A named volume, removed when the last reference goes.
final class NamedVolume: Sendable {
    /// What `--volume` takes.
    let name: String

    /// Names it; the engine creates it with the first container.
    init() {
        name = Docker.uniqueName("volume")
    }

    deinit {
        _ = try? Docker.run(["volume", "rm", "--force", name])
    }

    /// Every file in it: path from the volume's root, and contents; of a symbolic link the target.
    func files() throws -> [String: [UInt8]] {
        let root = try Docker.succeed("volume", "inspect", "--format", "{{.Mountpoint}}", name)
        var files: [String: [UInt8]] = [:]
        let walk = FileManager.default.enumerator(atPath: root)
        while let path = walk?.nextObject() as? String {
            let full = "\(root)/\(path)"
            let attributes = try FileManager.default.attributesOfItem(atPath: full)
            switch attributes[.type] as? FileAttributeType {
            case .typeRegular:
                files[path] = try Array(Data(contentsOf: URL(fileURLWithPath: full)))
            case .typeSymbolicLink:
                let target = try FileManager.default.destinationOfSymbolicLink(atPath: full)
                files[path] = Array(target.utf8)
            default: break
            }
        }
        return files
    }
}
