public import AccessRules
public import ArgumentParser

extension TimeSpan: ExpressibleByArgument {
    /// Reads a number and a unit; nothing else is taken.
    public init?(argument: String) {
        do throws(RuleError) {
            try self.init(parsing: argument)
        } catch {
            return nil
        }
    }

    /// As it would be typed.
    public var defaultValueDescription: String { description }
}
