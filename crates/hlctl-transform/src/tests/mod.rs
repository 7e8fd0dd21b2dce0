//! Whole mappings and conversions.

mod convert;
mod laws;
mod mapping;

/// The mapping of most tests: every transform, both aggregations, a group.
pub(crate) const EVERYTHING: &str = r#"
sourceSystemId: test-ehr
tables:
  - tableName: PATIENTS
    primaryKeyColumn: PAT_ID
    resourceMappings:
      - targetResourceType: Patient
        fieldMappings:
          - {fhirPath: resourceType, transform: {type: expression, params: {expression: "'Patient'"}}}
          - fhirPath: identifier[0].value
            sourceColumn: MRN
            transform: {type: expression, params: {expression: "'urn:mrn:' + $value"}}
          - {fhirPath: "name[0].family", sourceColumn: LAST, transform: {type: direct}}
          - {fhirPath: "name[0].given[0]", sourceColumn: FIRST, transform: {type: direct}}
          - fhirPath: name[0].text
            sourceColumns: [FIRST, LAST]
            transform: {type: concat, params: {separator: " "}}
          - fhirPath: birthDate
            sourceColumn: DOB
            transform: {type: dateFormat, params: {inputFormat: MM/dd/yyyy, outputFormat: yyyy-MM-dd}}
          - fhirPath: gender
            sourceColumn: SEX
            transform: {type: valueMap, params: {mapping: {M: male, F: female}}}
          - fhirPath: deceasedBoolean
            sourceColumn: DIED
            transform: {type: conditional, params: {condition: present, presentValue: "true", absentValue: "false"}}
            targetFhirType: boolean
          - {fhirPath: "maritalStatus", sourceColumn: MARITAL, transform: {type: direct}}
        aggregationMappings:
          - sourceTableName: PHONES
            targetFhirPath: telecom
            aggregationType: array
            fieldMappings:
              - fhirPath: value
                sourceColumn: NUMBER
                transform: {type: regex, params: {pattern: "[^0-9]", replacement: ""}}
              - {fhirPath: system, transform: {type: expression, params: {expression: "'phone'"}}}
              - fhirPath: period.start
                sourceColumn: SINCE
                transform: {type: dateFormat, params: {inputFormat: yyyyMMdd, outputFormat: yyyy-MM-dd}}
          - sourceTableName: ADDRESSES
            targetFhirPath: address[0]
            aggregationType: merge
            fieldMappings:
              - {fhirPath: "line[0]", sourceColumn: STREET, transform: {type: direct}}
              - {fhirPath: city, sourceColumn: CITY, transform: {type: direct}}
  - tableName: PHONES
    primaryKeyColumn: PHONE_ID
    foreignKeys:
      - {columnName: PAT_ID, referenceTableName: PATIENTS, referenceColumnName: PAT_ID}
  - tableName: ADDRESSES
    primaryKeyColumn: ADDR_ID
    foreignKeys:
      - {columnName: PAT_ID, referenceTableName: PATIENTS, referenceColumnName: PAT_ID}
  - tableName: DIAGNOSES
    primaryKeyColumn: PAT_ID
    resourceMappings:
      - targetResourceType: Condition
        groupByPk: true
        fieldMappings:
          - fhirPath: subject.reference
            sourceColumn: PAT_ID
            transform:
              type: resourceReference
              params: {referenceTableName: PATIENTS, referenceResourceType: Patient}
        arrayFieldMappings:
          - fhirPath: code.coding
            fieldMappings:
              - {fhirPath: code, sourceColumn: CODE, transform: {type: direct}}
  - tableName: RESULTS
    primaryKeyColumn: ID
    resourceMappings:
      - targetResourceType: Observation
        fieldMappings:
          - {fhirPath: status, transform: {type: expression, params: {expression: "'final'"}}}
          - {fhirPath: code.text, sourceColumn: TEST, transform: {type: direct}}
          - {fhirPath: valueQuantity.value, sourceColumn: VALUE, transform: {type: direct}, targetFhirType: decimal}
"#;
