// swift-tools-version: 6.2

// A package of its own, so that instrumented code never gets into the executables, and so that
// fuzzing builds nothing but what it needs. `Modules` is a link to the real sources.

import PackageDescription

let house: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"]),
]

let package = Package(
    name: "fuzzing",
    targets: [
        .target(
            name: "COpenSSL",
            path: "Modules/COpenSSL",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        .target(
            name: "CSodium",
            path: "Modules/CSodium",
            linkerSettings: [.linkedLibrary("sodium")]
        ),
        .target(
            name: "Cryptography",
            dependencies: ["COpenSSL", "CSodium"],
            path: "Modules/Cryptography",
            swiftSettings: house
        ),
        .target(
            name: "JSONText",
            dependencies: ["Cryptography"],
            path: "Modules/JSONText",
            swiftSettings: house
        ),
        .target(
            name: "VolumeFormat",
            dependencies: ["Cryptography", "JSONText"],
            path: "Modules/VolumeFormat",
            swiftSettings: house
        ),
        .target(
            name: "KeyProtocol",
            dependencies: ["Cryptography", "JSONText"],
            path: "Modules/KeyProtocol",
            swiftSettings: house
        ),
        .target(name: "AccessRules", path: "Modules/AccessRules", swiftSettings: house),
        .target(name: "CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "VolumeFormat", "KeyProtocol", "Cryptography", "AccessRules", "CFuzzer",
            ],
            swiftSettings: house,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]
        ),
    ]
)
