package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
)

// person is a row of the list.
type person struct {
	number   string
	metadata map[string]any
}

// readPeople reads the list. A number that is there twice is one person.
func readPeople(list []byte) (people []person, err error) {
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(list, []byte("\ufeff")))).ReadAll()
	if err != nil {
		return nil, err
	}
	column := -1
	if len(rows) > 0 {
		column = slices.IndexFunc(rows[0], func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "phoneNumber") })
	}
	if column < 0 {
		return nil, errors.New("the first row of the list must name a column phoneNumber")
	}
	seen := map[string]bool{}
	for _, row := range rows[1:] {
		p := person{number: strings.TrimSpace(row[column]), metadata: map[string]any{}}
		for i, name := range rows[0] {
			if i != column {
				p.metadata[strings.TrimSpace(name)] = row[i]
			}
		}
		if !seen[p.number] {
			people = append(people, p)
		}
		seen[p.number] = true
	}
	return people, nil
}
