internal import Glibc
internal import KeyServer
internal import Linux

/// Whether this machine, or this container, lets `secure-init` work.
enum MachineChecks {
    private static let flags = "docker run --device /dev/fuse --cap-add SYS_ADMIN"

    /// The kernel's version.
    static func kernel(release: String) -> Check {
        let parts = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard parts.count == 2 else {
            return .warning("kernel", "'\(release)' is no version", fix: "4.19 or later is needed")
        }
        guard (parts[0], parts[1]) >= (4, 19) else {
            return .failure("kernel", release, fix: "update: 4.19 or later is needed")
        }
        return .ok("kernel", release)
    }

    /// The FUSE device.
    ///
    /// - Parameter fault: Why it cannot be opened, if so.
    /// - Returns: With the fix for each of the causes.
    static func fuse(_ fault: Errno?) -> Check {
        switch fault?.rawValue {
        case nil:
            .ok("/dev/fuse", "can be opened")
        case ENOENT:
            .failure("/dev/fuse", "is not there", fix: "\(flags), or on a host: modprobe fuse")
        case ENODEV, ENXIO:
            .failure("/dev/fuse", "has no driver", fix: "on the host: modprobe fuse")
        case EPERM:
            .failure("/dev/fuse", "is kept from this container", fix: flags)
        case EACCES:
            .failure("/dev/fuse", "is not for this user", fix: "start as root, with --user NAME")
        case .some:
            .failure(
                "/dev/fuse",
                "cannot be opened: \(fault.map { "\($0)" } ?? "")",
                fix: flags
            )
        }
    }

    /// The capability that mounting takes.
    static func capability(_ effective: CapabilitySet) -> Check {
        guard effective.contains(.administer) else {
            return .failure(
                "capability",
                "CAP_SYS_ADMIN is missing, so nothing can be mounted",
                fix: "\(flags), or do without a volume: --env-only"
            )
        }
        return .ok("capability", "CAP_SYS_ADMIN is there")
    }

    /// What AppArmor makes of this process.
    ///
    /// - Parameter profile: Its profile, such as `docker-default (enforce)`; `nil` without AppArmor.
    /// - Returns: A failure where a profile that forbids mounting is enforced.
    static func appArmor(_ profile: String?) -> Check {
        guard let profile, !profile.isEmpty, profile != "unconfined" else {
            return .ok("AppArmor", "does not confine this process")
        }
        guard profile.hasSuffix("(enforce)") else {
            return .ok("AppArmor", "only watches this process: \(profile)")
        }
        let fix = "docker run --security-opt apparmor=unconfined, or a profile that allows mount"
        return profile.hasPrefix("docker-default")
            ? .failure("AppArmor", "\(profile) forbids mounting", fix: fix)
            : .warning("AppArmor", "\(profile) may forbid mounting", fix: fix)
    }

    /// The clock, by itself: certificates are dated.
    ///
    /// - Parameter now: What it shows.
    /// - Returns: A failure where it shows a time before this program was written.
    static func clock(_ now: Timestamp) -> Check {
        // 2026-01-01.
        guard now.seconds >= 1_767_225_600 else {
            return .failure(
                "clock",
                "shows \(now.date), before this program was written",
                fix: "set it, or let it be set: timedatectl set-ntp true"
            )
        }
        return .ok("clock", "\(now)")
    }

    /// Looks at the machine.
    ///
    /// - Parameter withVolume: Whether a volume is to be mounted.
    /// - Returns: All of the above that matter.
    static func run(withVolume: Bool) -> [Check] {
        var checks = [
            kernel(release: firstLine(of: "/proc/sys/kernel/osrelease") ?? ""), clock(.now),
        ]
        guard withVolume else { return checks }
        checks.append(fuse(faultOpeningFuse()))
        // Without an answer from the kernel, the worst is assumed.
        checks.append(capability((try? ProcessCapabilities().effective) ?? []))
        checks.append(appArmor(firstLine(of: "/proc/self/attr/current")))
        return checks
    }

    private static func faultOpeningFuse() -> Errno? {
        let descriptor = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return .current }
        close(descriptor)
        return nil
    }

    private static func firstLine(of path: String) -> String? {
        guard let bytes = try? SmallFile.read(path: path, limit: 4096) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.split(whereSeparator: { $0.isNewline || $0 == "\0" }).first.map(String.init)
    }
}
