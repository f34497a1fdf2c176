internal import ArgumentParser

/// `secure-store volume`.
struct VolumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume",
        abstract: "Makes, reads, fills and mounts encrypted volumes.",
        discussion: """
            A volume is a directory of encrypted files, in rclone's format, and a configuration \
            encrypted under the key. rclone reads both with the key as RCLONE_CONFIG_PASS.
            """,
        subcommands: [
            VolumeCreate.self, VolumeInfo.self, VolumeList.self, VolumePrint.self,
            VolumeEncrypt.self, VolumeDecrypt.self, VolumeMount.self,
        ]
    )
}
