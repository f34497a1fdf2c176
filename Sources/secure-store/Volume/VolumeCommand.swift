internal import ArgumentParser

/// `secure-store volume`.
struct VolumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume",
        abstract: "Makes, reads, fills and mounts encrypted volumes.",
        discussion: """
            A volume is a directory of encrypted files, in gocryptfs's or rclone's format, and a \
            configuration that the key opens. gocryptfs takes the key as its password, rclone as \
            RCLONE_CONFIG_PASS.
            """,
        subcommands: [
            VolumeCreate.self, VolumeInfo.self, VolumeList.self, VolumePrint.self,
            VolumeEncrypt.self, VolumeDecrypt.self, VolumeMount.self, VolumeCheckCommand.self,
            VolumePassword.self, VolumeMigrate.self, VolumeExport.self, VolumeRecover.self,
        ]
    )
}
