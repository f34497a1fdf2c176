// swift-tools-version: 6.2

import PackageDescription

/// Settings every Swift target of ours shares.
///
/// Imports are internal unless said otherwise, so a C type cannot leak into a module's public
/// interface; warnings are errors.
let house: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "secure-store",
    products: [
        .executable(name: "secure-init", targets: ["secure-init"]),
        .executable(name: "secure-store", targets: ["secure-store"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // No traits: neither full Foundation nor swift-configuration.
        .package(
            url: "https://github.com/hummingbird-project/hummingbird",
            from: "2.28.1",
            traits: []
        ),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle",
            from: "2.13.0"
        ),
    ],
    targets: [
        // C that Swift cannot be: what runs between fork and exec, variadics, macros.
        .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
        .target(
            name: "COpenSSL",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        .target(name: "CSignalGate"),
        .target(name: "CSodium", linkerSettings: [.linkedLibrary("sodium")]),
        .target(
            name: "CSQLite",
            linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("m")]
        ),
        // Debian's libpq.a leaves the rest of PostgreSQL's client code to two more archives; see
        // scripts/build.
        .target(
            name: "CPostgreSQL",
            cSettings: [.define("STATIC_LIBPQ", .when(configuration: .release))],
            linkerSettings: [
                .linkedLibrary("pq"),
                .linkedLibrary("pgcommon", .when(configuration: .release)),
                .linkedLibrary("pgport", .when(configuration: .release)),
                .linkedLibrary("ssl"), .linkedLibrary("crypto"),
            ]
        ),
        .target(name: "CFuse", linkerSettings: [.linkedLibrary("fuse3")]),

        // Leaves: nothing above them is known to them.
        .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: house),
        .target(
            name: "Cryptography",
            dependencies: ["COpenSSL", "CSodium"],
            swiftSettings: house
        ),

        .target(name: "Database", swiftSettings: house),
        .target(name: "SQLite", dependencies: ["Database", "CSQLite"], swiftSettings: house),
        .target(
            name: "PostgreSQL",
            dependencies: ["Database", "Cryptography", "CPostgreSQL"],
            swiftSettings: house
        ),

        // Formats, wire types and rules: pure, no input or output.
        .target(name: "AccessRules", swiftSettings: house),
        .target(name: "JSONText", dependencies: ["Cryptography"], swiftSettings: house),
        .target(
            name: "VolumeFormat",
            dependencies: ["Cryptography", "JSONText"],
            swiftSettings: house
        ),
        .target(
            name: "KeyProtocol",
            dependencies: ["Cryptography", "JSONText"],
            swiftSettings: house
        ),

        // What touches the world.
        .target(
            name: "CryptFS",
            dependencies: ["VolumeFormat", "Cryptography", "Linux", "CLinux", "CFuse"],
            swiftSettings: house
        ),
        .target(
            name: "KeySources",
            dependencies: ["KeyProtocol", "Cryptography", "Linux", "COpenSSL"],
            swiftSettings: house
        ),
        .target(
            name: "SecureInit",
            dependencies: [
                "VolumeTransfer", "CryptFS", "KeySources", "KeyProtocol", "Cryptography", "Linux",
            ],
            swiftSettings: house
        ),
        .executableTarget(
            name: "secure-init",
            dependencies: ["SecureInit", "CSignalGate"],
            swiftSettings: house
        ),

        // The operator's side.
        .target(
            name: "BalenaAPI",
            dependencies: ["KeySources", "JSONText", "Cryptography"],
            swiftSettings: house
        ),
        .target(
            name: "VolumeTransfer",
            dependencies: ["CryptFS", "VolumeFormat", "Cryptography", "Linux"],
            swiftSettings: house
        ),
        .target(
            name: "KeyServer",
            dependencies: [
                "AccessRules", "KeyProtocol", "Cryptography", "Linux", "Database", "SQLite",
                "PostgreSQL",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "_CryptoExtras", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: house
        ),
        .executableTarget(
            name: "secure-store",
            dependencies: [
                "AccessRules", "BalenaAPI", "KeyServer", "VolumeTransfer", "CryptFS",
                "VolumeFormat",
                "KeySources", "KeyProtocol", "PostgreSQL",
                "Cryptography", "Linux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: house
        ),

        .testTarget(
            name: "AccessRulesTests",
            dependencies: ["AccessRules", "TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "KeyServerTests",
            dependencies: [
                "KeyServer", "AccessRules", "KeyProtocol", "Cryptography", "Database", "SQLite",
                "PostgreSQL", "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "SecureStoreTests",
            dependencies: ["secure-store", "KeyServer", "AccessRules", "Linux", "TestSupport"],
            swiftSettings: house
        ),

        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: house),
        .testTarget(
            name: "LinuxTests",
            dependencies: ["Linux", "TestSupport"],
            swiftSettings: house
        ),
        // What an attacker tries is system calls, many of them without a function in the C library.
        .target(
            name: "CAttack",
            path: "Tests/CAttack",
            cSettings: [.define("_GNU_SOURCE")]
        ),
        .executableTarget(
            name: "attacker",
            dependencies: ["CAttack"],
            path: "Tests/Attacker",
            cSettings: [.define("_GNU_SOURCE")],
            // It is to run in any container.
            linkerSettings: [.unsafeFlags(["-static-executable"])]
        ),
        .testTarget(
            name: "AttackTests",
            dependencies: ["CryptFS", "VolumeFormat", "Cryptography", "TestSupport", "attacker"],
            swiftSettings: house
        ),
        .executableTarget(
            name: "sandbox-probe",
            dependencies: ["SecureInit", "CAttack"],
            path: "Tests/SandboxProbe",
            swiftSettings: house
        ),
        .testTarget(
            name: "SecureInitTests",
            dependencies: [
                "SecureInit", "KeyProtocol", "Cryptography", "Linux", "TestSupport",
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "KeySourcesTests",
            dependencies: ["KeySources", "KeyProtocol", "Cryptography", "Linux", "TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "JSONTextTests",
            dependencies: ["JSONText", "Cryptography"],
            swiftSettings: house
        ),
        .testTarget(
            name: "KeyProtocolTests",
            dependencies: ["KeyProtocol", "JSONText", "Cryptography", "TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "VolumeCommandTests",
            dependencies: ["Linux", "TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "VolumeTransferTests",
            dependencies: [
                "VolumeTransfer", "CryptFS", "VolumeFormat", "Cryptography", "Linux", "TestSupport",
            ],
            swiftSettings: house
        ),
        .testTarget(
            name: "VolumeFormatTests",
            dependencies: ["VolumeFormat", "JSONText", "Cryptography", "TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "FuzzingTests",
            dependencies: ["TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "CryptographyTests",
            dependencies: ["Cryptography", "TestSupport"],
            swiftSettings: house
        ),
        .testTarget(
            name: "ScenarioTests",
            dependencies: ["TestSupport"],
            exclude: ["Scenarios/database.sh", "Scenarios/postgres-pair.sh"],
            swiftSettings: house
        ),
        .target(
            name: "CAllocationCount",
            path: "Tests/CAllocationCount",
            cSettings: [
                .define("_GNU_SOURCE"),
                .define("COUNTS_ALLOCATIONS", .when(configuration: .debug)),
            ]
        ),
        // A file system of the tests' own process would wait for itself: another serves it.
        .executableTarget(
            name: "cryptfs-test-worker",
            dependencies: ["CryptFS", "Cryptography", "Linux", "CAllocationCount"],
            path: "Tests/CryptFSWorker",
            swiftSettings: house
        ),
        // A storage that writes down what is done to it, and fails when told to.
        .executableTarget(
            name: "recording-filesystem",
            path: "Tests/RecordingFilesystem",
            cSettings: [.define("_GNU_SOURCE"), .define("_FILE_OFFSET_BITS", to: "64")],
            linkerSettings: [.linkedLibrary("fuse3")]
        ),
        .testTarget(
            name: "CryptFSTests",
            dependencies: [
                "CryptFS", "VolumeFormat", "VolumeTransfer", "Cryptography", "Linux", "TestSupport",
                "cryptfs-test-worker", "recording-filesystem",
            ],
            exclude: ["Clients"],
            swiftSettings: house
        ),
    ]
)
