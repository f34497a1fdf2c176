import Testing

/// What an image can be built on.
enum Base: String, CaseIterable, CustomTestStringConvertible {
    /// A distribution, with a shell and a C library.
    case distribution

    /// Nothing at all but a static helper, busybox.
    case scratch

    var testDescription: String { rawValue }

    /// The Dockerfile's first lines: afterwards `/bin/sh` and the usual small programs exist.
    func dockerfile() throws -> String {
        switch self {
        case .distribution:
            "FROM \(try Image.distribution.get())\n"
        case .scratch:
            """
            FROM scratch
            COPY busybox /bin/busybox
            RUN ["/bin/busybox", "--install", "-s", "/bin"]

            """
        }
    }
}

extension Image {
    /// Either base with `secure-init` as its entrypoint.
    ///
    /// - Parameters:
    ///   - base: What it is built on.
    ///   - entrypoint: The options of `secure-init`.
    /// - Returns: The image.
    /// - Throws: ``Docker/Failure`` with the engine's words.
    static func entrypoint(_ base: Base, _ entrypoint: [String] = []) throws -> Image {
        let array = (["/secure-init"] + entrypoint).map { "\"\($0)\"" }.joined(separator: ", ")
        return try Image(
            dockerfile: try base.dockerfile() + """
                COPY secure-init /secure-init
                ENTRYPOINT [\(array)]

                """
        )
    }
}

/// The two flags that mounting a volume in a container needs, and the third where AppArmor is on.
let fuseOptions = [
    "--device", "/dev/fuse", "--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined",
]
