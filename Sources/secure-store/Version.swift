/// Which version this is.
enum Version {
    /// Semantic version.
    static let text = "1.0.0"
}
